using System.Text.Json.Nodes;

namespace ClipSae.Contracts;

/// <summary>
/// A data set is ready to be worked on: starts a run. Any AMQP client may publish it as plain JSON; inputs and parameters are
/// all it needs.
/// </summary>
/// <param name="Inputs">Run inputs by name: <c>dataset:shards/00000</c>, <c>model:weights</c>, <c>model:tokenizer</c>, …; artifacts that
/// are in the store.</param>
/// <param name="Parameters">Parameters in sections, <c>{"sae": {"k": 16}}</c>.</param>
/// <param name="Run">Name of the run. By default it follows from the content, so that an event that comes twice starts one run.</param>
/// <param name="Seed">Every draw of every stage comes from it.</param>
/// <param name="Interactive">Whether someone is waiting: its units go before those of other runs.</param>
/// <param name="Verify">Recompute what is stored already, and fail where a digest differs.</param>
/// <param name="Plan">Stages and units; by default the coordinator plans.</param>
/// <param name="Origin">The run that this one replays: what comes before its stage is taken from there.</param>
public sealed record DatasetReady(
    IReadOnlyDictionary<string, ArtifactRef> Inputs,
    JsonObject Parameters,
    string? Run = null,
    long Seed = 0,
    bool Interactive = false,
    bool Verify = false,
    RunPlan? Plan = null,
    ReplayOrigin? Origin = null
)
{
    /// <summary>
    /// Inputs that an event may have: with a plan, which has a unit for each, a hundred thousand are 50 MB of the 64 MiB that the broker
    /// lets through.
    /// </summary>
    public const int MaxInputs = 100_000;
}
