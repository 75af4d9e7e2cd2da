using System.Collections.Concurrent;
using ClipSae.Artifacts;

namespace ClipSae.Hosting.Runs;

/// <summary>
/// Which process works on which run of a data folder: an open, locked file <c>runs/{run}/host.lock</c>. The operating system
/// drops the lock with the process, so that a killed process holds nothing.
/// </summary>
internal sealed class RunLocks(string dataFolder) : IDisposable
{
    private readonly ConcurrentDictionary<string, FileStream> _held = new(StringComparer.Ordinal);

    public IEnumerable<string> Held => _held.Keys;

    public bool IsHeldHere(string run) => _held.ContainsKey(run);

    /// <summary>Whether this process has, or could get hold of, the run.</summary>
    public bool TryHold(string run)
    {
        if (IsHeldHere(run))
        {
            return true;
        }

        if (TryLock(run) is not { } locked)
        {
            return false;
        }

        if (!_held.TryAdd(run, locked))
        {
            locked.Dispose();
        }

        return true;
    }

    /// <summary>Whether no process works on the run.</summary>
    public bool IsFree(string run)
    {
        if (IsHeldHere(run))
        {
            return false;
        }

        using var locked = TryLock(run);
        return locked is not null;
    }

    public void Release(string run)
    {
        if (_held.TryRemove(run, out var locked))
        {
            locked.Dispose();
        }
    }

    public void Dispose()
    {
        foreach (var run in _held.Keys)
        {
            Release(run);
        }
    }

    private FileStream? TryLock(string run)
    {
        var path = Path.Combine(Path.GetFullPath(dataFolder), "runs", run, "host.lock");
        return DiskErrors.Guard(path, null, () =>
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            try
            {
                return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 0);
            }
            catch (IOException error) when (!DiskErrors.IsLasting(error))
            {
                return null;
            }
        });
    }
}
