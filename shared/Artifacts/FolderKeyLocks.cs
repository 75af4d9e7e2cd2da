namespace ClipSae.Artifacts;

/// <summary>Locks between all processes that share a folder: a file <c>stages/{key}/lock</c> that its holder keeps open.</summary>
public sealed class FolderKeyLocks(string root, TimeProvider time) : IKeyLocks
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(100);
    private readonly string _stages = Path.Combine(Path.GetFullPath(root), "stages");

    public async Task<IDisposable> HoldAsync(string key, CancellationToken cancel = default)
    {
        var path = Path.Combine(_stages, key, "lock");
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        while (true)
        {
            // The lock lives in the open file and not in the name: the operating system drops it with the process, so none is ever stale.
            try
            {
                return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 0);
            }
            catch (IOException error)
                when (!DiskErrors.IsLasting(error) && error is not (FileNotFoundException or DirectoryNotFoundException))
            {
                await Task.Delay(Poll, time, cancel);
            }
        }
    }
}
