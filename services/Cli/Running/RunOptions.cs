using System.CommandLine;
using System.Text.Json.Nodes;
using ClipSae.Cli.CommandLine;
using ClipSae.FineTuning.Arms;
using ClipSae.Hosting.Service;
using ClipSae.Pipeline.Runs;
using ClipSae.Pipeline.Stages;

namespace ClipSae.Cli.Running;

/// <summary>Options that decide what a run computes; <c>demo</c>, <c>run</c>, <c>submit</c> and <c>sweep</c> share them.</summary>
/// <param name="tunes">Whether the run goes as far as fine-tuning.</param>
internal sealed class RunOptions(bool tunes = true)
{
    private readonly ValueOption<string[]> _set = new(
        "--set",
        "SECTION.KEY=VALUE",
        "Change a parameter, for example sae.k=16 or extraction.hookPoints=mlp@0,mlp@1; may be given several times"
    );

    private readonly Option<string[]> _arms = new("--arms")
    {
        Description =
            $"Ways of fine-tuning to compare: {string.Join(", ", TuningArm.Singles)}; joined by +, as distil+keep-features; "
            + $"with a weight, as penalise@50; with {ArmName.ControlSuffix} at the end for a control",
        HelpName = "ARM,…",
    };

    private readonly ValueOption<int?> _seeds = new("--seeds", "N", "How many seeds each arm is tuned with");

    private readonly ValueOption<long> _seed = new("--seed", "N", "Seed of all random choices of the run");

    public IEnumerable<Option> All => tunes ? [_set, _arms, _seeds, _seed] : [_set, _seed];

    public long Seed(ParseResult arguments) => arguments.GetValue(_seed);

    /// <summary>The preset's parameters with all that the command line changes.</summary>
    /// <param name="before">Assignments that come before those of the command line.</param>
    /// <exception cref="WrongUseException">An assignment cannot be carried out.</exception>
    public Task<JsonObject> ParametersAsync(
        ParseResult arguments,
        JsonObject preset,
        Session session,
        ClipSaeRuntime runtime,
        IEnumerable<string>? before = null
    ) =>
        Workplace.CheckedAsync(() =>
        {
            var defaults = runtime.DefaultParameters();
            var parameters = ParameterOverrides.Apply(
                session.OnDevice(preset, defaults),
                [.. before ?? [], .. Assignments(arguments)],
                defaults
            );
            RequirePossible(parameters, runtime.Stages, defaults, tunes);
            return Task.FromResult(parameters);
        });

    /// <summary>
    /// Plans a run and looks at every unit's parameters. The runtime does so too, but only once the data set has been read, which may take
    /// minutes.
    /// </summary>
    /// <exception cref="UserErrorException">A value is impossible.</exception>
    internal static void RequirePossible(
        JsonObject parameters,
        IReadOnlyDictionary<string, IStage> stages,
        IReadOnlyDictionary<string, JsonObject> defaults,
        bool tunes = true
    )
    {
        if (tunes)
        {
            RunPlanner.RequireImages(parameters, defaults);
        }

        PlanParameters.Normalize(new RunPlan(StagesOf(parameters, defaults)), stages);
    }

    /// <summary>
    /// Stages and units of a run with these parameters, whatever its data set: what is in a shard says nothing about the units' parameters.
    /// </summary>
    /// <param name="given">Hook points whose autoencoders are given.</param>
    internal static IReadOnlyList<StagePlan> StagesOf(
        JsonObject parameters,
        IReadOnlyDictionary<string, JsonObject> defaults,
        IEnumerable<string>? given = null
    )
    {
        var inputs = (given ?? [])
            .Select(hook => RunPlanner.GivenAutoencoderPrefix + hook)
            .Append(RunPlanner.ShardPrefix + "00000")
            .ToDictionary(name => name, _ => new ArtifactRef("sha256:", 0, "", ""), StringComparer.Ordinal);
        return RunPlanner.Whole(new RunSpec(inputs, parameters), defaults).Stages;
    }

    /// <summary>Autoencoders that a run trains: those that are given are left out.</summary>
    internal static (StagePlan Stage, IReadOnlyList<UnitPlan> Units) TrainedAutoencoders(IReadOnlyList<StagePlan> stages)
    {
        var stage = stages.Single(plan => plan.Stage == ParameterSections.Sae);
        return (
            stage,
            [
                .. stage.Units.Where(unit =>
                    !unit.Inputs.Any(input => input.From.StartsWith(RunPlanner.GivenAutoencoderPrefix, StringComparison.Ordinal))
                ),
            ]
        );
    }

    /// <summary>Assignments in the form of <c>--set</c>, those of <c>--arms</c> and <c>--seeds</c> included.</summary>
    public IReadOnlyList<string> Assignments(ParseResult arguments)
    {
        var assignments = new List<string>();
        if (arguments.GetValue(_arms) is { Length: > 0 } arms)
        {
            var names = arms.SelectMany(arm => arm.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries));
            assignments.Add("tuning.arms=" + new JsonArray([.. names.Select(name => JsonValue.Create(name))]).ToJsonString());
        }

        if (arguments.GetValue(_seeds) is { } seeds)
        {
            assignments.Add(
                seeds >= 1
                    ? FormattableString.Invariant($"tuning.seeds={seeds}")
                    : throw new WrongUseException($"--seeds {seeds}: must be 1 or more")
            );
        }

        return [.. assignments, .. arguments.GetValue(_set) ?? []];
    }
}
