using System.Text.Json.Nodes;

namespace ClipSae.Contracts;

/// <summary>The piece of a stage that one worker runs: one data set shard, one hook point, one arm and seed, or the whole stage.</summary>
/// <param name="Name">Unique within the stage; neither '/', ':' nor '*'.</param>
/// <param name="Parameters">Overlay on the parameters of the stage.</param>
/// <param name="Inputs">What this unit needs in addition to the inputs of the stage.</param>
public sealed record UnitPlan(string Name, JsonObject Parameters, IReadOnlyList<InputSelector> Inputs);
