using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using ClipSae.Artifacts;

namespace ClipSae.Pipeline.Stages;

/// <summary>
/// Checkpoints of one unit. The files go first, then <c>{serial:D8}-{id}.json</c> that names them with their digests: a checkpoint is there
/// when its index is. The id keeps two workers apart that were both given the unit.
/// </summary>
internal sealed class Checkpoints(IObjectStore store, string prefix, string scratch) : ICheckpoints
{
    private readonly string _scratch = Path.GetFullPath(scratch) + Path.DirectorySeparatorChar;

    private sealed record Index(JsonObject State, IReadOnlyDictionary<string, ArtifactRef> Files);

    public async Task SaveAsync(IReadOnlyDictionary<string, string> filesByName, JsonObject state, CancellationToken cancel)
    {
        var earlier = await store.ListAsync(prefix, cancel: cancel);
        var serial = earlier.Select(found => SerialOf(found.Key)).DefaultIfEmpty(0).Max() + 1;
        var name = string.Create(CultureInfo.InvariantCulture, $"{prefix}{serial:D8}-{Guid.NewGuid():N}");
        var files = new Dictionary<string, ArtifactRef>(StringComparer.Ordinal);
        foreach (var (file, path) in filesByName)
        {
            var key = $"{name}/{Path.GetFileName(file)}";
            var isOwn = Path.GetFullPath(path).StartsWith(_scratch, StringComparison.Ordinal);
            var (digest, length) = await store.PutFileAsync(key, path, isOwn, cancel);
            files[file] = new ArtifactRef(digest, length, "application/octet-stream", key);
        }

        await store.WriteAsync(name + ".json", JsonSerializer.SerializeToUtf8Bytes(new Index(state, files), ContractJson.Options), cancel);

        // Indices first, so that none is left that names what is gone.
        foreach (var found in earlier.OrderByDescending(found => IsIndex(found.Key)))
        {
            await store.RemoveAsync(found.Key, cancel);
        }
    }

    public async Task<Checkpoint?> LatestAsync(CancellationToken cancel)
    {
        foreach (var key in (await store.ListAsync(prefix, cancel: cancel)).Select(found => found.Key).Where(IsIndex).Reverse())
        {
            if (await TryReadAsync(key, cancel) is { } checkpoint)
            {
                return checkpoint;
            }
        }

        return null;
    }

    // A checkpoint only saves time: a damaged one is passed over, and the unit starts from the one before or from the beginning.
    private async Task<Checkpoint?> TryReadAsync(string key, CancellationToken cancel)
    {
        Index? index;
        try
        {
            index = await store.ReadAsync(key, cancel) is { } content
                ? JsonSerializer.Deserialize<Index>(content, ContractJson.Options)
                : null;
        }
        catch (JsonException)
        {
            return null;
        }

        if (index is not { State: not null, Files: not null })
        {
            return null;
        }

        var files = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, file) in index.Files)
        {
            if (
                await store.FetchFileAsync(file.Name, file.Length, Path.Combine(_scratch, "checkpoint"), cancel) is not { } path
                || await Task.Run(() => Digest.OfFile(path), cancel) != file.Digest
            )
            {
                return null;
            }

            files[name] = path;
        }

        return new Checkpoint(index.State, files);
    }

    private bool IsIndex(string key) =>
        SerialOf(key) > 0 && key.EndsWith(".json", StringComparison.Ordinal) && !key.AsSpan(prefix.Length).Contains('/');

    private int SerialOf(string key)
    {
        var name = key.AsSpan(prefix.Length);
        return name.Length > 8 && int.TryParse(name[..8], NumberStyles.None, CultureInfo.InvariantCulture, out var serial) ? serial : 0;
    }
}
