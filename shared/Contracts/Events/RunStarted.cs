using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace ClipSae.Contracts;

/// <summary>
/// A run began: all that decides what it will compute. As JSON the members of <see cref="Spec"/> stand next to the others.
/// </summary>
[EventType("run-started/1")]
public sealed record RunStarted : RunEvent
{
    /// <param name="run">The run's name.</param>
    /// <param name="plan">Stages and units.</param>
    /// <param name="spec">What was asked for.</param>
    public RunStarted(string run, RunPlan plan, RunSpec spec) => (Run, Plan, Spec) = (run, plan, spec);

    [JsonConstructor]
    private RunStarted(
        string run,
        RunPlan plan,
        IReadOnlyDictionary<string, ArtifactRef> inputs,
        JsonObject parameters,
        long seed,
        ReplayOrigin? origin = null,
        bool verify = false,
        bool interactive = false
    )
        : this(
            run,
            RenamedParameters.Current(plan),
            new RunSpec(inputs, RenamedParameters.Current(parameters), seed, verify, origin, interactive)
        ) { }

    /// <summary>The run's name.</summary>
    public string Run { get; init; }

    /// <summary>Stages and units.</summary>
    public RunPlan Plan { get; init; }

    /// <summary>What was asked for.</summary>
    [JsonIgnore]
    public RunSpec Spec { get; init; }

    [JsonInclude]
    private IReadOnlyDictionary<string, ArtifactRef> Inputs => Spec.Inputs;

    [JsonInclude]
    private JsonObject Parameters => Spec.Parameters;

    [JsonInclude]
    private long Seed => Spec.Seed;

    [JsonInclude]
    private ReplayOrigin? Origin => Spec.Origin;

    [JsonInclude]
    private bool Verify => Spec.Verify;

    // Written only where it is so: older events have no such member.
    [JsonInclude]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    private bool Interactive => Spec.Interactive;
}
