using System.Collections.Concurrent;
using ClipSae.Artifacts;

namespace ClipSae.ObjectStorage;

/// <summary>
/// Artifacts that were read lately, on the local disk under their digest. Several processes may share the folder. What was not
/// read for longest goes first when there is too much; what was handed out within the last hour stays, since it may be in use.
/// </summary>
internal sealed class ArtifactCache(string root, long limit, TimeProvider time) : IDisposable
{
    private static readonly TimeSpan InUse = TimeSpan.FromHours(1);
    private readonly string _blobs = Path.Combine(Path.GetFullPath(root), "blobs");
    private readonly ProcessScratch _scratch = new(root);
    private readonly ConcurrentDictionary<string, SemaphoreSlim> _turns = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, (long Length, DateTime Written)> _verified = new(StringComparer.Ordinal);
    private readonly Lock _gate = new();
    private long _sinceSweep = long.MaxValue;

    /// <summary>Local path of the artifact's content, verified; it is brought where it is not there yet, once however many ask.</summary>
    /// <param name="bring">Writes the content to a path; false where the store has none.</param>
    /// <returns>Null where the store has no such content.</returns>
    /// <exception cref="UserErrorException">What was brought does not have the digest, or the disk is full.</exception>
    public async Task<string?> GetAsync(ArtifactRef artifact, Func<string, Task<bool>> bring, CancellationToken cancel)
    {
        var path = PathOf(artifact.Digest);
        var turn = _turns.GetOrAdd(artifact.Digest, _ => new SemaphoreSlim(1, 1));
        await turn.WaitAsync(cancel);
        try
        {
            return await Task.Run(() => TryTouch(path) && IsWhole(artifact, path), cancel) || await BringAsync(artifact, path, bring)
                ? path
                : null;
        }
        finally
        {
            turn.Release();
        }
    }

    public void Dispose() => _scratch.Dispose();

    private string PathOf(string digest)
    {
        var hex = Digest.Hex(digest);
        return Path.Combine(_blobs, hex[..2], hex);
    }

    private async Task<bool> BringAsync(ArtifactRef artifact, string path, Func<string, Task<bool>> bring)
    {
        var temporary = _scratch.NewPath();
        try
        {
            PrivateFolder.Create(_blobs);
            var isThere = await DiskErrors.GuardAsync(temporary, artifact.Length, () => bring(temporary));
            if (!isThere)
            {
                return false;
            }

            if (await Task.Run(() => Digest.OfFile(temporary)) != artifact.Digest)
            {
                throw new UserErrorException(
                    $"artifact {artifact.Name} is damaged in the object store: {artifact.Digest} no longer has its digest; "
                        + "remove that object and run again to recompute the stage that made it"
                );
            }

            DiskErrors.Guard(path, artifact.Length, () =>
            {
                Directory.CreateDirectory(Path.GetDirectoryName(path)!);
                if (!OperatingSystem.IsWindows())
                {
                    File.SetUnixFileMode(temporary, UnixFileMode.UserRead | UnixFileMode.GroupRead | UnixFileMode.OtherRead);
                }

                TryTouch(temporary);
                File.Move(temporary, path, overwrite: true);
                return 0;
            });
        }
        finally
        {
            File.Delete(temporary);
        }

        var file = new FileInfo(path);
        _verified[path] = (file.Length, file.LastWriteTimeUtc);
        MakeRoom(artifact.Length);
        return true;
    }

    // Another process may have written or damaged the file since: size and time of writing reveal a change cheaply.
    private bool IsWhole(ArtifactRef artifact, string path)
    {
        var file = new FileInfo(path);
        if (!file.Exists || file.Length != artifact.Length)
        {
            return false;
        }

        var seen = (file.Length, file.LastWriteTimeUtc);
        if (_verified.TryGetValue(path, out var verified) && verified == seen)
        {
            return true;
        }

        if (Digest.OfFile(path) != artifact.Digest)
        {
            return false;
        }

        _verified[path] = seen;
        return true;
    }

    // What is marked as used first cannot be swept away by another process between the look and the use.
    private bool TryTouch(string path)
    {
        try
        {
            File.SetLastAccessTimeUtc(path, time.GetUtcNow().UtcDateTime);
            return true;
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            return false;
        }
    }

    private void MakeRoom(long added)
    {
        lock (_gate)
        {
            // Looking at every file each time would cost more than it saves: a twentieth too much is soon enough.
            _sinceSweep = _sinceSweep == long.MaxValue ? long.MaxValue : _sinceSweep + added;
            if (_sinceSweep <= limit / 20)
            {
                return;
            }

            _sinceSweep = 0;
            var files = new DirectoryInfo(_blobs)
                .EnumerateFiles("*", SearchOption.AllDirectories)
                .OrderByDescending(file => file.LastAccessTimeUtc)
                .ToArray();
            var oldest = time.GetUtcNow().UtcDateTime - InUse;
            long kept = 0;
            foreach (var file in files)
            {
                kept += file.Length;
                if (kept > limit && file.LastAccessTimeUtc < oldest)
                {
                    file.Delete(); // no error where another process was quicker
                    _verified.TryRemove(file.FullName, out _);
                }
            }
        }
    }
}
