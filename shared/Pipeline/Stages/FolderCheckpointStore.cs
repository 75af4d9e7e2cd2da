namespace ClipSae.Pipeline;

/// <summary>Checkpoints in <c>checkpoints/{key}/</c> of the data folder.</summary>
public sealed class FolderCheckpointStore(string root) : ICheckpointStore
{
    private readonly string _checkpoints = Path.Combine(Path.GetFullPath(root), "checkpoints");

    public ICheckpoints Open(string key, string scratch) => new FolderCheckpoints(Path.Combine(_checkpoints, key), scratch);

    public Task ClearAsync(string key, CancellationToken cancel = default)
    {
        var folder = Path.Combine(_checkpoints, key);
        if (Directory.Exists(folder))
        {
            Directory.Delete(folder, recursive: true);
        }

        return Task.CompletedTask;
    }
}
