using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace ClipSae.Contracts;

/// <summary>A run began: all that decides what it will compute.</summary>
/// <param name="Run">The run's name.</param>
/// <param name="Plan">Stages and units.</param>
/// <param name="Inputs">Run inputs by name, for example <c>dataset:manifest</c>, <c>model:weights</c>.</param>
/// <param name="Parameters">Parameters in sections (<c>sae</c>, <c>tuning</c>, …) as the user gave them.</param>
/// <param name="Seed">Every draw of every stage comes from it.</param>
/// <param name="Origin">The run that this one replays.</param>
/// <param name="Verify">Recompute what is stored already, and fail where a digest differs.</param>
/// <param name="Interactive">Whether someone is waiting: its units go before those of other runs. Written only where it is so: older events
/// have no such member.</param>
[EventType("run-started/1")]
public sealed record RunStarted(
    string Run,
    RunPlan Plan,
    IReadOnlyDictionary<string, ArtifactRef> Inputs,
    JsonObject Parameters,
    long Seed,
    ReplayOrigin? Origin = null,
    bool Verify = false,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] bool Interactive = false
) : RunEvent;
