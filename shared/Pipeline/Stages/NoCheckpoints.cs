using System.Text.Json.Nodes;

namespace ClipSae.Pipeline.Stages;

/// <summary>Keeps nothing: for units that are run outside a pipeline, where nothing can be resumed.</summary>
public sealed class NoCheckpoints : ICheckpoints
{
    public static NoCheckpoints Instance { get; } = new();

    public Task SaveAsync(IReadOnlyDictionary<string, string> filesByName, JsonObject state, CancellationToken cancel) =>
        Task.CompletedTask;

    public Task<Checkpoint?> LatestAsync(CancellationToken cancel) => Task.FromResult<Checkpoint?>(null);
}
