using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace ClipSae.Contracts;

/// <summary>One stage of a run with all its units. Fan-out is several units here; fan-in is a starred selector in a later stage.</summary>
/// <param name="Stage">Name of the stage, for example <c>sae-training</c>.</param>
/// <param name="Parameters">Parameters of the stage as the user gave them; the stage itself fills in the defaults.</param>
/// <param name="Units">The units of the stage, at least one.</param>
/// <param name="Inputs">What every unit of the stage takes.</param>
/// <param name="ToleratedFailures">
/// Share of the units, 0 to 1, that may fail without failing the run; later stages then take what is there. At least one unit must have
/// a result whatever the share. Default 0. Written only where it is not 0: older plans have no such member.
/// </param>
/// <param name="AlgorithmVersion">
/// Version of the stage's algorithm that computes every unit: a worker of another version leaves them alone. It is fixed when the run
/// begins; null in plans that are older than that.
/// </param>
public sealed record StagePlan(
    string Stage,
    JsonObject Parameters,
    IReadOnlyList<UnitPlan> Units,
    IReadOnlyList<InputSelector> Inputs,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] double ToleratedFailures = 0,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] int? AlgorithmVersion = null
);
