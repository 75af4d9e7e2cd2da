using System.Text.Json.Nodes;
using ClipSae.Artifacts;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace ClipSae.Pipeline.Stages;

/// <summary>All that a unit of a stage may see of the world.</summary>
public sealed class StageContext
{
    public string Run { get; init; } = "run";

    public required string Stage { get; init; }

    public string Unit { get; init; } = "all";

    /// <summary>Parameters after <see cref="IStage.Normalize"/>: every default is explicit.</summary>
    public JsonObject Parameters { get; init; } = [];

    /// <summary>Inputs by the names that the plan's selectors gave, in ordinal order.</summary>
    public IReadOnlyDictionary<string, ArtifactRef> Inputs { get; init; } = new Dictionary<string, ArtifactRef>();

    public required IArtifactStore Artifacts { get; init; }

    public ICheckpoints Checkpoints { get; init; } = NoCheckpoints.Instance;

    /// <summary>
    /// Where a stage keeps parts of its work under keys of their own (<see cref="StageKeyParts"/>), for other units to take; null where
    /// nothing stored may be taken, as in a verification.
    /// </summary>
    public IStageResults? Results { get; init; }

    public IProgress<StageProgress> Progress { get; init; } = new Progress<StageProgress>();

    /// <summary>A private folder for temporary files; it is removed when the unit ends.</summary>
    public required string Scratch { get; init; }

    /// <summary>
    /// The run's events so far; null for a stage that is <see cref="IStage.Cacheable"/>, whose outputs may not depend on them.
    /// </summary>
    public IRunLog? RunLog { get; init; }

    public ILogger Log { get; init; } = NullLogger.Instance;

    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>How often batches are halved because the device's memory was short: 0 at first.</summary>
    public int Halvings { get; init; }

    /// <summary>A batch size, halved as often as the device's memory asks for; at least 1.</summary>
    public int Smaller(int batch) => Math.Max(1, batch >> Halvings);

    /// <summary>The parameters as the stage's options record.</summary>
    /// <exception cref="UserErrorException">A key is unknown or a value has the wrong type.</exception>
    public T Options<T>() => StageParameters.Bind<T>(Parameters, Stage);

    /// <summary>The input of this name.</summary>
    /// <exception cref="UserErrorException">There is none.</exception>
    public ArtifactRef Input(string name) =>
        Inputs.TryGetValue(name, out var input)
            ? input
            : throw new UserErrorException(
                $"{Stage}/{Unit}: input {name} is missing; given are {(Inputs.Count == 0 ? "none" : string.Join(", ", Inputs.Keys))}"
            );

    /// <summary>The inputs named <c>prefix/…</c>, in ordinal order, under what follows the prefix.</summary>
    public IReadOnlyList<KeyValuePair<string, ArtifactRef>> InputsUnder(string prefix) =>
        [
            .. Inputs
                .Where(input => input.Key.StartsWith(prefix + "/", StringComparison.Ordinal))
                .Select(input => KeyValuePair.Create(input.Key[(prefix.Length + 1)..], input.Value))
                .OrderBy(input => input.Key, StringComparer.Ordinal),
        ];

    /// <summary>Fetches the input of this name and gives its local path.</summary>
    public Task<string> FetchAsync(string name, CancellationToken cancel) => Artifacts.FetchAsync(Input(name), cancel);
}
