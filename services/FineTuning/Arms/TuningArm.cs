using System.Globalization;
using ClipSae.Clip.Architecture;
using ClipSae.FineTuning.Settings;
using ClipSae.Tensors;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ClipSae.FineTuning.Arms;

/// <summary>
/// One way of fine-tuning: what it asks for, what it does to a forward pass and which loss it adds. Arms that act on chosen neurons,
/// features or heads have a control that acts on as many random ones. Several may be combined, as <c>distil+keep-features</c>.
/// </summary>
public abstract partial record TuningArm
{
    /// <summary>Between an arm and the weight that its name sets.</summary>
    private const char WeightSign = '@';

    private const string AnyWeight = "a weight of 0 or more";

    private TuningArm(string kind, bool isRandom)
    {
        Kind = kind;
        IsRandom = isRandom;
    }

    /// <summary>The arm without its weight and its control suffix.</summary>
    public string Kind { get; }

    /// <summary>
    /// What its name sets in place of the options' weight or factor, as 50 in <c>penalise@50</c>, so that validation can choose among
    /// several; null takes the options'.
    /// </summary>
    public double? Weight { get; private init; }

    /// <summary>Whether what it acts on is drawn at random instead of chosen by the SAE.</summary>
    public bool IsRandom { get; }

    /// <summary>As written in parameters and tables: <c>penalise</c>, <c>penalise-random</c>.</summary>
    public string Name => IsRandom ? ArmName.ControlOf(WeightedKind) : WeightedKind;

    /// <summary>Whether there is anything to train; an arm without it only changes weights.</summary>
    public virtual bool IsTrained => true;

    /// <summary>Whether attention heads that look at print are taken out before anything is trained.</summary>
    public virtual bool AblatesHeads => false;

    /// <summary>Whether a null token is all that is trained.</summary>
    public virtual bool TrainsNullToken => false;

    /// <summary>Whether the contrastive loss on captions is minimised; an arm without it needs no captions at all.</summary>
    public virtual bool UsesCaptions => true;

    /// <summary>Whether attack images enter the contrastive loss with their true captions.</summary>
    public virtual bool CaptionsAttacks => UsesCaptions;

    /// <summary>Which weights or factors its name may set, as reported to the user; null where it takes none.</summary>
    public virtual string? WeightRule => null;

    /// <summary>Whether it acts on parts that can be drawn at random instead, so that it has a control.</summary>
    public virtual bool HasControl => true;

    /// <summary>Whether it scales salient neurons, so that there must be some.</summary>
    public virtual bool ScalesNeurons => false;

    /// <summary>Whether it reads features of the SAE.</summary>
    public virtual bool ReadsFeatures => false;

    /// <summary>Whether it reads what attention heads write along the features' directions.</summary>
    public virtual bool ReadsHeads => false;

    /// <summary>Whether its loss needs the attacks' unreadable twins.</summary>
    public virtual bool NeedsControls => false;

    /// <summary>Whether its loss compares with the base.</summary>
    public virtual bool NeedsBase => false;

    /// <summary>Whether its loss needs the pictures that attacks are printed on.</summary>
    public virtual bool NeedsSources => false;

    /// <summary>Whether its loss needs the attacks' print without the picture.</summary>
    public virtual bool NeedsPrint => false;

    /// <summary>Changes or watches the forward pass before it is made.</summary>
    internal virtual void Arrange(ArmPass pass) { }

    /// <summary>
    /// What it adds to the loss, after the forward pass: a scalar that is a mean over the pass's clean images plus a mean over its attacks,
    /// so that passes over equal parts of a batch average to the batch's; null where the pass has no image that it looks at.
    /// </summary>
    internal virtual Tensor? Loss(ArmPass pass) => null;

    /// <returns>1 − cosine of each row, [rows].</returns>
    private protected static Tensor Distance(Tensor student, Tensor teacher) =>
        functional.cosine_similarity(student.to(ScalarType.Float32), teacher.to(ScalarType.Float32), dim: 1).neg().Plus(1);

    private string WeightedKind => Weight is { } weight ? FormattableString.Invariant($"{Kind}{WeightSign}{weight}") : Kind;

    /// <summary>Whether its name may set this weight; see <see cref="WeightRule"/>.</summary>
    private protected virtual bool Takes(double weight) => weight >= 0;

    /// <summary>The arm of options that are possible in themselves and for it.</summary>
    /// <exception cref="UserErrorException">They are not; the message names the parameter.</exception>
    public static TuningArm Of(FineTuningOptions options)
    {
        options.Validate();
        var (arm, rates) = (Parse(options.Arm), options.LearningRates);
        FineTuningOptions.Require(
            arm.UsesCaptions || rates.Vision + rates.Positions + rates.Projections > 0,
            "learningRates",
            $"above 0 in the vision tower, which is all that the arm {arm.Name} trains"
        );
        FineTuningOptions.Require(
            options.Adapter is null || rates.Vision > 0 || (arm.UsesCaptions && rates.Text > 0),
            "learningRates.vision, learningRates.text",
            "above 0 where adapter is to train a tower's blocks"
        );
        return arm;
    }

    /// <summary>Reads an arm's name.</summary>
    /// <exception cref="UserErrorException">The name is none of the arms, or arms that cannot be combined.</exception>
    public static TuningArm Parse(string name)
    {
        var random = ArmName.IsControl(name);
        var parts = ArmName.Informed(name).Split(Combined.Sign).Select(part => Part(part, random)).ToArray();
        UserErrorException.ThrowIf(
            parts.Any(part => part is null) || (random && !parts.Any(part => part!.HasControl)),
            $"tuning.arms: '{name}' is not an arm; use {string.Join(", ", Singles)}, several of the others joined by +, "
                + $"a weight as in penalise@50, and {ArmName.ControlSuffix} at the end for the control of what chooses neurons, "
                + $"features or heads ({string.Join(", ", Singles.Where(kind => Single(kind, false)!.HasControl))})"
        );

        return parts is [{ } only] ? only : Combined.Of([.. parts.Select(part => part!)]);
    }

    /// <summary>Whether arm and loss are there for models of a family; reported before anything is computed.</summary>
    /// <exception cref="UserErrorException">The arm looks at what a class token attends to, or the loss is made for another
    /// family.</exception>
    public void RequireFit(ClipFamily family, TuningLoss loss)
    {
        UserErrorException.ThrowIf(
            !family.HasClassToken && (AblatesHeads || ReadsHeads),
            $"tuning.arms: '{Name}' looks for attention heads by what the class token looks at, "
                + $"and the vision tower of a {family} has none; use the other arms"
        );
        UserErrorException.ThrowIf(
            family.IsPairwise && loss == TuningLoss.Compat,
            $"tuning.loss: compat is made for the softmax over a batch that a CLIP is trained with; "
                + $"a {family} is trained with symmetric, which stands for its own sigmoid loss"
        );
    }

    /// <summary>Kinds of arms that are not combinations.</summary>
    public static IReadOnlyList<string> Singles { get; } =
    [
        "none",
        "amplify",
        "suppress",
        "penalise",
        "penalise-only",
        "distil",
        "keep-features",
        "keep-reading",
        "heads",
        "hinge-heads",
        "null-token",
    ];

    private static TuningArm? Part(string text, bool random)
    {
        var sign = text.IndexOf(WeightSign);
        if (sign < 0)
        {
            return Single(text, random);
        }

        if (Single(text[..sign], random) is not { } arm)
        {
            return null;
        }

        // One spelling alone, since units and caches go by the name.
        var isNumber = double.TryParse(text[(sign + 1)..], NumberStyles.Float, CultureInfo.InvariantCulture, out var weight);
        if (arm.WeightRule is not { } rule)
        {
            throw new UserErrorException($"tuning.arms: '{text}': the arm {arm.Kind} takes no weight; write {arm.Kind}");
        }

        var weighted = arm with { Weight = weight };
        return isNumber && double.IsFinite(weight) && arm.Takes(weight) && weighted.WeightedKind == text
            ? weighted
            : throw new UserErrorException($"tuning.arms: '{text}': expected {rule} after {WeightSign}, in its shortest form");
    }

    private static TuningArm? Single(string kind, bool random) =>
        kind switch
        {
            "none" => new None(),
            "amplify" => new Amplify(random),
            "suppress" => new Suppress(random),
            "penalise" => new Penalise(random),
            "penalise-only" => new PenaliseOnly(random),
            "distil" => new Distil(),
            "keep-features" => new KeepFeatures(random),
            "keep-reading" => new KeepReading(),
            "heads" => new Heads(random),
            "hinge-heads" => new HingeHeads(random),
            "null-token" => new NullToken(),
            _ => null,
        };
}
