using System.Text.Json.Nodes;

namespace ClipSae.Contracts;

/// <summary>
/// What a run is asked to compute, whoever asks: a command, an event from outside, or the log of a run that began. The plan follows from it
/// (or comes with it), and so does not belong to it.
/// </summary>
/// <param name="Inputs">Run inputs by name: <c>dataset:manifest</c>, <c>dataset:shards/00000</c>, <c>model:weights</c>,
/// <c>evaluation:…</c>; artifacts that are in the store.</param>
/// <param name="Parameters">Parameters in sections as the user gave them: <c>{"sae": {"k": 16}, "tuning": {…}}</c>.</param>
/// <param name="Seed">Every draw of every stage comes from it.</param>
/// <param name="Verify">Recompute what is stored already, and fail where a digest differs.</param>
/// <param name="Origin">The run that this one replays: what comes before its stage is taken from there.</param>
/// <param name="Interactive">Whether someone is waiting: its units go before those of other runs.</param>
public sealed record RunSpec(
    IReadOnlyDictionary<string, ArtifactRef> Inputs,
    JsonObject Parameters,
    long Seed = 0,
    bool Verify = false,
    ReplayOrigin? Origin = null,
    bool Interactive = false
);
