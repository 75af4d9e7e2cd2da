using System.Text.Json.Nodes;
using ClipSae.Contracts;

namespace ClipSae.Pipeline.Runs;

/// <summary>What a user asks for.</summary>
/// <param name="Inputs">Run inputs by name: <c>dataset:manifest</c>, <c>dataset:shards/00000</c>, <c>model:weights</c>,
/// <c>evaluation:…</c>, <c>attack:…</c>.</param>
/// <param name="Parameters">Parameters in sections: <c>{"sae": {"k": 16}, "tuning": {…}}</c>.</param>
/// <param name="Seed">Every draw of every stage comes from it.</param>
/// <param name="Verify">Recompute what is stored already, and fail where a digest differs.</param>
public sealed record RunRequest(IReadOnlyDictionary<string, ArtifactRef> Inputs, JsonObject Parameters, long Seed = 0, bool Verify = false);
