using System.Collections.Concurrent;
using System.Security.Cryptography;

namespace ClipSae.Artifacts;

/// <summary>Artifacts in a folder: <c>blobs/sha256/ab/abcdef…</c>, written once, read-only.</summary>
public sealed class FolderArtifactStore : IArtifactStore
{
    private const int CopyBuffer = 1 << 20;
    private readonly string _root;
    private readonly ProcessScratch _scratch;
    private readonly ConcurrentDictionary<string, (long Length, DateTime Written)> _verified = new(StringComparer.Ordinal);

    /// <param name="root">The data folder; it is made when first written to.</param>
    /// <param name="scratch">Where content is gathered before it gets its name; on the same disk as the root.</param>
    public FolderArtifactStore(string root, ProcessScratch? scratch = null)
    {
        _root = Path.GetFullPath(root);
        _scratch = scratch ?? new ProcessScratch(_root);
    }

    /// <summary>Where content with this digest is or would be.</summary>
    public string PathOf(string digest)
    {
        var hex = Digest.Hex(digest);
        return Path.Combine(_root, "blobs", "sha256", hex[..2], hex);
    }

    public async Task<ArtifactRef> PutFileAsync(string path, string name, string mediaType, CancellationToken cancel = default)
    {
        await using var source = new FileStream(SourceFile.Open(path), FileAccess.Read, bufferSize: 0);
        return await PutAsync(source, source.Length, name, mediaType, cancel);
    }

    public Task<ArtifactRef> TakeFileAsync(string path, string name, string mediaType, CancellationToken cancel = default) =>
        Task.Run(() => Take(path, name, mediaType), cancel);

    public async Task<ArtifactRef> PutBytesAsync(
        ReadOnlyMemory<byte> content,
        string name,
        string mediaType,
        CancellationToken cancel = default
    )
    {
        cancel.ThrowIfCancellationRequested();
        var digest = Digest.OfBytes(content.Span);
        var path = PathOf(digest);
        if (!IsStored(path, content.Length))
        {
            var temporary = _scratch.NewPath();
            await DiskErrors.GuardAsync(path, content.Length, async () =>
            {
                using var source = new MemoryStream(content.ToArray(), writable: false);
                await WriteAsync(source, temporary, null, cancel);
                return 0;
            });
            Publish(temporary, path);
        }

        return new ArtifactRef(digest, content.Length, mediaType, name);
    }

    public Task<string> FetchAsync(ArtifactRef artifact, CancellationToken cancel = default)
    {
        var path = PathOf(artifact.Digest);
        var file = new FileInfo(path);
        UserErrorException.ThrowIf(
            !file.Exists,
            $"artifact {artifact.Name} is missing ({path}): run again to recompute the stage that made it"
        );

        // Reading a large blob again for each use would cost more than the use; size and time of writing reveal a change cheaply.
        var seen = (file.Length, file.LastWriteTimeUtc);
        if (_verified.TryGetValue(artifact.Digest, out var verified) && verified == seen)
        {
            return Task.FromResult(path);
        }

        return Task.Run(() => Verify(artifact, path, seen), cancel);
    }

    public Task<long?> LengthAsync(string digest, CancellationToken cancel = default) =>
        Task.FromResult(new FileInfo(PathOf(digest)) is { Exists: true } file ? file.Length : (long?)null);

    private string Verify(ArtifactRef artifact, string path, (long Length, DateTime Written) seen)
    {
        UserErrorException.ThrowIf(
            seen.Length != artifact.Length || Digest.OfFile(path) != artifact.Digest,
            $"artifact {artifact.Name} is damaged: {path} no longer has its digest; "
                + $"delete that file and run again to recompute the stage that made it"
        );

        _verified[artifact.Digest] = seen;
        return path;
    }

    private ArtifactRef Take(string path, string name, string mediaType)
    {
        long length;
        using (var source = new FileStream(SourceFile.Open(path, FileAccess.ReadWrite), FileAccess.ReadWrite, bufferSize: 0))
        {
            length = source.Length;
            DiskErrors.Guard(path, length, () => source.Flush(flushToDisk: true));
        }

        var digest = WrittenDigests.Of(path);
        var target = PathOf(digest);
        if (IsStored(target, length))
        {
            File.Delete(path);
        }
        else
        {
            // From another disk this copies, which must not happen under the name that readers look at.
            var temporary = _scratch.NewPath();
            DiskErrors.Guard(temporary, length, () => File.Move(path, temporary));
            Publish(temporary, target);
        }

        return new ArtifactRef(digest, length, mediaType, name);
    }

    private async Task<ArtifactRef> PutAsync(Stream source, long length, string name, string mediaType, CancellationToken cancel)
    {
        var temporary = _scratch.NewPath();
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var written = await DiskErrors.GuardAsync(temporary, length, () => WriteAsync(source, temporary, hash, cancel));
        var digest = Digest.Prefix + Convert.ToHexStringLower(hash.GetHashAndReset());
        var path = PathOf(digest);
        if (IsStored(path, written))
        {
            File.Delete(temporary);
        }
        else
        {
            Publish(temporary, path);
        }

        return new ArtifactRef(digest, written, mediaType, name);
    }

    private static bool IsStored(string path, long length) => new FileInfo(path) is { Exists: true } file && file.Length == length;

    private static async Task<long> WriteAsync(Stream source, string temporary, IncrementalHash? hash, CancellationToken cancel)
    {
        try
        {
            await using var target = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0);
            var buffer = new byte[CopyBuffer];
            long written = 0;
            for (int read; (read = await source.ReadAsync(buffer, cancel)) > 0; written += read)
            {
                hash?.AppendData(buffer, 0, read);
                await target.WriteAsync(buffer.AsMemory(0, read), cancel);
            }

            target.Flush(flushToDisk: true);
            return written;
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }

    private void Publish(string temporary, string path)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(temporary, UnixFileMode.UserRead | UnixFileMode.GroupRead | UnixFileMode.OtherRead);
        }

        // Replacing is right here: equal digest is equal content, and a damaged blob of another length is healed.
        File.Move(temporary, path, overwrite: true);
        var file = new FileInfo(path);
        _verified[Digest.Prefix + Path.GetFileName(path)] = (file.Length, file.LastWriteTimeUtc);
    }
}
