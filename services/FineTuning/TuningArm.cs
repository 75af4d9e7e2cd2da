using ClipSae.Contracts;

namespace ClipSae.FineTuning;

/// <summary>What is done with the SAE's knowledge during the attack half of each step. Every informed arm has a control that uses as many random neurons or features.</summary>
public abstract record TuningArm
{
    private TuningArm(string name, bool isRandom)
    {
        Kind = name;
        IsRandom = isRandom;
    }

    /// <summary>The arm without its control suffix.</summary>
    public string Kind { get; }

    /// <summary>Whether neurons or features are drawn at random instead of chosen by the SAE.</summary>
    public bool IsRandom { get; }

    /// <summary>As written in parameters and tables: <c>penalise</c>, <c>penalise-random</c>.</summary>
    public string Name => IsRandom ? ArmName.ControlOf(Kind) : Kind;

    /// <summary>Attack images captioned with the truth, nothing scaled.</summary>
    public sealed record None() : TuningArm("none", false);

    /// <summary>The salient neurons are multiplied by a factor above 1 in the attack forward, so that the update must overcome a louder word.</summary>
    public sealed record Amplify(bool Random) : TuningArm("amplify", Random);

    /// <summary>The salient neurons are multiplied by a factor below 1 in the attack forward.</summary>
    public sealed record Suppress(bool Random) : TuningArm("suppress", Random);

    /// <summary>A hinge on the salient SAE features of the attacked image against its control, beside the attack captions.</summary>
    public sealed record Penalise(bool Random) : TuningArm("penalise", Random);

    /// <summary>The hinge alone: no attack image is ever captioned.</summary>
    public sealed record PenaliseOnly(bool Random) : TuningArm("penalise-only", Random);

    /// <summary>Reads an arm's name.</summary>
    /// <exception cref="UserErrorException">The name is none of the arms.</exception>
    public static TuningArm Parse(string name)
    {
        var random = ArmName.IsControl(name);
        return (ArmName.Informed(name), random) switch
        {
            ("none", false) => new None(),
            ("amplify", _) => new Amplify(random),
            ("suppress", _) => new Suppress(random),
            ("penalise", _) => new Penalise(random),
            ("penalise-only", _) => new PenaliseOnly(random),
            _ => throw new UserErrorException(
                $"tuning.arms: '{name}' is not an arm; use none, amplify, suppress, penalise, penalise-only, or one of the last four with {ArmName.ControlSuffix}"),
        };
    }
}
