using System.Text.Json.Nodes;

namespace ClipSae.Contracts;

/// <summary>Run one unit.</summary>
/// <param name="Parameters">The stage's parameters with the unit's overlay: every default explicit where whoever began the run knows the
/// stage, otherwise the worker makes them so.</param>
/// <param name="Inputs">Inputs by the names the unit sees.</param>
/// <param name="Verify">Compute even where a result is stored, and compare.</param>
/// <param name="Interactive">Whether someone is waiting for the run.</param>
/// <param name="Origin">The run to compare with when saying why a stored result was or was not taken.</param>
/// <param name="InputList">The artifact with the inputs, where they are too many for the message itself.</param>
/// <param name="AlgorithmVersion">The plan's version of the stage's algorithm; null takes any.</param>
public sealed record RunUnit(
    string Run,
    string Stage,
    string Unit,
    JsonObject Parameters,
    IReadOnlyDictionary<string, ArtifactRef> Inputs,
    bool Verify = false,
    string? Origin = null,
    bool Interactive = false,
    ArtifactRef? InputList = null,
    int? AlgorithmVersion = null
) : StageCommand(Run, Stage);
