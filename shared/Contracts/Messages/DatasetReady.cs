using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace ClipSae.Contracts;

/// <summary>
/// A data set is ready to be worked on: starts a run. Any AMQP client may publish it as plain JSON, in which the members of
/// <see cref="Spec"/> stand next to the others; <c>inputs</c> and <c>parameters</c> are all it needs.
/// </summary>
public sealed record DatasetReady
{
    /// <summary>
    /// Inputs that an event may have: with a plan, which has a unit for each, a hundred thousand are 50 MB of the 64 MiB that the broker
    /// lets through.
    /// </summary>
    public const int MaxInputs = 100_000;

    /// <param name="spec">What is asked for.</param>
    /// <param name="run">Name of the run. By default it follows from the content, so that an event that comes twice starts one run.</param>
    /// <param name="plan">Stages and units; by default the coordinator plans.</param>
    public DatasetReady(RunSpec spec, string? run = null, RunPlan? plan = null) => (Spec, Run, Plan) = (spec, run, plan);

    [JsonConstructor]
    private DatasetReady(
        IReadOnlyDictionary<string, ArtifactRef> inputs,
        JsonObject parameters,
        string? run = null,
        long seed = 0,
        bool interactive = false,
        bool verify = false,
        RunPlan? plan = null,
        ReplayOrigin? origin = null
    )
        : this(new RunSpec(inputs, parameters, seed, verify, origin, interactive), run, plan) { }

    /// <summary>What is asked for.</summary>
    [JsonIgnore]
    public RunSpec Spec { get; init; }

    /// <summary>Name of the run; null where it follows from the content.</summary>
    public string? Run { get; init; }

    /// <summary>Stages and units; null where the coordinator plans.</summary>
    public RunPlan? Plan { get; init; }

    [JsonInclude]
    private IReadOnlyDictionary<string, ArtifactRef> Inputs => Spec.Inputs;

    [JsonInclude]
    private JsonObject Parameters => Spec.Parameters;

    [JsonInclude]
    private long Seed => Spec.Seed;

    [JsonInclude]
    private bool Interactive => Spec.Interactive;

    [JsonInclude]
    private bool Verify => Spec.Verify;

    [JsonInclude]
    private ReplayOrigin? Origin => Spec.Origin;
}
