using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using ClipSae.Artifacts;
using ClipSae.Contracts;
using ClipSae.Pipeline;

namespace ClipSae.ObjectStorage;

/// <summary>
/// Checkpoints of one unit. The files go first, then <c>{serial:D8}-{id}.json</c> that names them with their digests: a
/// checkpoint is there when its index is. The id keeps two workers apart that were both given the unit.
/// </summary>
internal sealed class S3Checkpoints(ObjectStore store, string prefix, string scratch) : ICheckpoints
{
    private readonly ObjectTransfer _transfer = new(store);
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
            using var source = SourceFile.Open(path);
            var outline = await _transfer.OutlineAsync(path, source, cancel);
            await _transfer.UploadAsync(source, outline, $"{name}/{file}", cancel);
            files[file] = new ArtifactRef(Digest.Prefix + outline.Digest, outline.Length, "application/octet-stream", $"{name}/{file}");
        }

        await store.WriteAsync(name + ".json", JsonSerializer.SerializeToUtf8Bytes(new Index(state, files), ContractJson.Options), cancel);
        foreach (var path in filesByName.Values.Where(path => Path.GetFullPath(path).StartsWith(_scratch, StringComparison.Ordinal)))
        {
            File.Delete(path);
        }

        foreach (var found in earlier)
        {
            await store.RemoveAsync(found.Key, cancel);
        }
    }

    public async Task<Checkpoint?> LatestAsync(CancellationToken cancel)
    {
        var indices = (await store.ListAsync(prefix, cancel: cancel)).Select(found => found.Key).Where(key => key.EndsWith(".json", StringComparison.Ordinal));
        foreach (var key in indices.Reverse())
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
            index = await store.ReadAsync(key, cancel) is { } content ? JsonSerializer.Deserialize<Index>(content, ContractJson.Options) : null;
        }
        catch (JsonException)
        {
            return null;
        }

        if (index is null)
        {
            return null;
        }

        var folder = Directory.CreateDirectory(Path.Combine(_scratch, $"checkpoint-{Guid.NewGuid():N}")).FullName;
        var files = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, file) in index.Files)
        {
            var path = Path.Combine(folder, Path.GetFileName(name));
            if (!await _transfer.DownloadAsync(file.Name, file.Length, path, cancel) || await Task.Run(() => Digest.OfFile(path), cancel) != file.Digest)
            {
                return null;
            }

            files[name] = path;
        }

        return new Checkpoint(index.State, files);
    }

    private int SerialOf(string key)
    {
        var name = key.AsSpan(prefix.Length);
        return name.Length > 8 && int.TryParse(name[..8], NumberStyles.None, CultureInfo.InvariantCulture, out var serial) ? serial : 0;
    }
}
