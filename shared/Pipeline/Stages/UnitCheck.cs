using System.Text.Json.Nodes;
using ClipSae.Artifacts;

namespace ClipSae.Pipeline.Stages;

/// <summary>A unit of a run that has not started.</summary>
/// <param name="Unit">Its name in the plan.</param>
/// <param name="Parameters">Parameters after <see cref="IStage.Normalize"/>.</param>
/// <param name="RunInputs">Inputs of the run by name, such as <c>model:weights</c>; shards may be left out.</param>
/// <param name="Artifacts">Where they are.</param>
public sealed record UnitCheck(
    string Unit,
    JsonObject Parameters,
    IReadOnlyDictionary<string, ArtifactRef> RunInputs,
    IArtifactStore Artifacts
)
{
    /// <summary>The local path of a run input; null where the run has none of this name.</summary>
    public async Task<string?> FetchAsync(string input, CancellationToken cancel) =>
        RunInputs.TryGetValue(input, out var artifact) ? await Artifacts.FetchAsync(artifact, cancel) : null;
}
