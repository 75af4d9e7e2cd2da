namespace ClipSae.Pipeline;

/// <summary>The files of a data folder.</summary>
public sealed class FolderInventory(string root) : IInventory
{
    private readonly string _root = Path.GetFullPath(root);

    public Task<IReadOnlyList<InventoryItem>> ListAsync(string prefix, CancellationToken cancel = default) =>
        Task.Run<IReadOnlyList<InventoryItem>>(() => List(Path.Combine(_root, prefix)), cancel);

    public Task RemoveAsync(string key, CancellationToken cancel = default)
    {
        var path = Path.Combine(_root, key);
        if (Path.Exists(path))
        {
            File.Delete(path);
        }

        // A folder that has become empty goes too, but for those at the top.
        for (var folder = Path.GetDirectoryName(path)!; Path.GetRelativePath(_root, folder).Contains(Path.DirectorySeparatorChar) && TryRemoveEmpty(folder); folder = Path.GetDirectoryName(folder)!)
        {
        }

        return Task.CompletedTask;
    }

    private static bool TryRemoveEmpty(string folder)
    {
        try
        {
            Directory.Delete(folder);
            return true;
        }
        catch (IOException)
        {
            // It is not empty, or another was quicker.
            return false;
        }
    }

    private IReadOnlyList<InventoryItem> List(string folder)
    {
        if (!Directory.Exists(folder))
        {
            return [];
        }

        // Links may lead to places that are not the data folder's.
        var own = new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.ReparsePoint };
        return
        [
            .. new DirectoryInfo(folder).EnumerateFiles("*", own)
                .Select(file => new InventoryItem(Path.GetRelativePath(_root, file.FullName).Replace(Path.DirectorySeparatorChar, '/'), file.Length, file.LastWriteTimeUtc))
                .OrderBy(item => item.Key, StringComparer.Ordinal),
        ];
    }
}
