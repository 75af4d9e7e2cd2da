using System.Text.Json.Nodes;

namespace ClipSae.Contracts;

/// <summary>One stage of a run with all its units. Fan-out is several units here; fan-in is a starred selector in a later stage.</summary>
/// <param name="Stage">Name of the stage, for example <c>sae-training</c>.</param>
/// <param name="Parameters">Parameters of the stage as the user gave them; the stage itself fills in the defaults.</param>
/// <param name="Units">The units of the stage, at least one.</param>
/// <param name="Inputs">What every unit of the stage takes.</param>
public sealed record StagePlan(string Stage, JsonObject Parameters, IReadOnlyList<UnitPlan> Units, IReadOnlyList<InputSelector> Inputs);
