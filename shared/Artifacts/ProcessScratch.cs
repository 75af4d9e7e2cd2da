using System.Globalization;

namespace ClipSae.Artifacts;

/// <summary>
/// A folder for this process's temporary files, <c>scratch/…</c> in the data folder, held by a lock that the operating system
/// releases when the process ends in whatever way. What killed processes left behind is removed when the next one makes its own.
/// </summary>
public sealed class ProcessScratch : IDisposable
{
    private const string LockName = "lock";
    private readonly string _scratch;
    private readonly Lock _gate = new();
    private FileStream? _held;
    private string? _own;
    private long _serial;

    /// <param name="root">The data folder; nothing is made in it before the first file is asked for.</param>
    public ProcessScratch(string root) => _scratch = Path.Combine(Path.GetFullPath(root), "scratch");

    /// <summary>A new, empty folder.</summary>
    public string NewFolder() => Directory.CreateDirectory(NewPath()).FullName;

    /// <summary>A path that nothing has yet.</summary>
    public string NewPath() => Path.Combine(Own(), Interlocked.Increment(ref _serial).ToString("D6", CultureInfo.InvariantCulture));

    public void Dispose()
    {
        lock (_gate)
        {
            _held?.Dispose();
            _held = null;
            if (_own is not null)
            {
                TryDelete(_own);
                _own = null;
            }
        }
    }

    private string Own()
    {
        lock (_gate)
        {
            return _own ??= Make();
        }
    }

    private string Make() => DiskErrors.Guard(_scratch, null, () =>
        {
            PrivateFolder.Create(_scratch);
            foreach (var other in Directory.GetDirectories(_scratch))
            {
                RemoveIfAbandoned(other);
            }

            // The lock must be held before the folder has a name that others look at, or a sweep could take it for abandoned.
            var own = Path.Combine(_scratch, $"{Environment.ProcessId}-{Guid.NewGuid():N}");
            var making = own + ".new";
            Directory.CreateDirectory(making);
            _held = new FileStream(Path.Combine(making, LockName), FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None);
            Directory.Move(making, own);
            return own;
        });

    private static void RemoveIfAbandoned(string folder)
    {
        try
        {
            using (new FileStream(Path.Combine(folder, LockName), FileMode.Open, FileAccess.ReadWrite, FileShare.None)) { }

            TryDelete(folder);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // Held by a live process, or just being made.
        }
    }

    private static void TryDelete(string folder)
    {
        try
        {
            Directory.Delete(folder, recursive: true);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // Left for the next sweep.
        }
    }
}
