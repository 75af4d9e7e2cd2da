using ClipSae.Artifacts;

namespace ClipSae.ObjectStorage;

/// <summary>Artifacts in an object store, <c>blobs/sha256/ab/abcdef…</c>, read through a local cache.</summary>
public sealed class S3ArtifactStore : IArtifactStore, IDisposable
{
    private readonly S3ObjectStore _store;
    private readonly ObjectTransfer _transfer;
    private readonly ArtifactCache _cache;

    public S3ArtifactStore(S3ObjectStore store, TimeProvider time)
    {
        _store = store;
        _transfer = new ObjectTransfer(store);
        _cache = new ArtifactCache(store.Options.CacheFolder, store.Options.CacheBytes, time);
    }

    /// <summary>Key of the object with this content.</summary>
    public static string KeyOf(string digest)
    {
        var hex = Digest.Hex(digest);
        return $"blobs/sha256/{hex[..2]}/{hex}";
    }

    public async Task<ArtifactRef> PutFileAsync(string path, string name, string mediaType, CancellationToken cancel = default)
    {
        cancel.ThrowIfCancellationRequested();
        using var file = SourceFile.Open(path);
        var outline = await _transfer.OutlineAsync(path, file, cancel);
        var artifact = new ArtifactRef(Digest.Prefix + outline.Digest, outline.Length, mediaType, name);
        if (!await IsStoredAsync(artifact, cancel))
        {
            await _transfer.UploadAsync(file, outline, KeyOf(artifact.Digest), cancel);
        }

        return artifact;
    }

    public async Task<ArtifactRef> TakeFileAsync(string path, string name, string mediaType, CancellationToken cancel = default)
    {
        var artifact = await PutFileAsync(path, name, mediaType, cancel);
        File.Delete(path);
        return artifact;
    }

    public async Task<ArtifactRef> PutBytesAsync(
        ReadOnlyMemory<byte> content,
        string name,
        string mediaType,
        CancellationToken cancel = default
    )
    {
        cancel.ThrowIfCancellationRequested();
        var artifact = new ArtifactRef(Digest.OfBytes(content.Span), content.Length, mediaType, name);
        if (!await IsStoredAsync(artifact, cancel))
        {
            await _store.WriteAsync(KeyOf(artifact.Digest), content, cancel);
        }

        return artifact;
    }

    public async Task<string> FetchAsync(ArtifactRef artifact, CancellationToken cancel = default)
    {
        var key = KeyOf(artifact.Digest);
        return await _cache.GetAsync(artifact, path => _transfer.DownloadAsync(key, artifact.Length, path, cancel), cancel)
            ?? throw new UserErrorException(
                $"artifact {artifact.Name} is missing or cut short ({key} in {_store.Options}): "
                    + "run again to recompute the stage that made it"
            );
    }

    public Task<long?> LengthAsync(string digest, CancellationToken cancel = default) => _store.LengthAsync(KeyOf(digest), cancel);

    public void Dispose() => _cache.Dispose();

    private async Task<bool> IsStoredAsync(ArtifactRef artifact, CancellationToken cancel) =>
        await _store.LengthAsync(KeyOf(artifact.Digest), cancel) == artifact.Length;
}
