namespace ClipSae.Artifacts;

/// <summary>Objects as files of a folder, each under its key. Any number of processes may share it.</summary>
/// <param name="root">The folder; it is made when first written to.</param>
public sealed class FolderObjectStore(string root) : IObjectStore
{
    // Links may lead to places that are not the folder's.
    private static readonly EnumerationOptions Own = new() { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.ReparsePoint };
    private readonly string _root = Path.GetFullPath(root);

    public string Describe(string key) => Path.Combine(_root, key);

    public async Task<byte[]?> ReadAsync(string key, CancellationToken cancel = default)
    {
        try
        {
            return await File.ReadAllBytesAsync(PathOf(key), cancel);
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    public Task WriteAsync(string key, ReadOnlyMemory<byte> content, CancellationToken cancel = default) =>
        Task.Run(() => AtomicFile.Write(PathOf(key), content.Span), cancel);

    public Task<bool> TryCreateAsync(string key, ReadOnlyMemory<byte> content, CancellationToken cancel = default) =>
        Task.Run(() => AtomicFile.TryCreate(PathOf(key), content.Span), cancel);

    public Task<long?> LengthAsync(string key, CancellationToken cancel = default) =>
        Task.FromResult(new FileInfo(PathOf(key)) is { Exists: true } file ? file.Length : (long?)null);

    public Task<IReadOnlyList<StoredObject>> ListAsync(string prefix, bool isDeep = true, CancellationToken cancel = default) =>
        Task.Run<IReadOnlyList<StoredObject>>(() => List(prefix, isDeep), cancel);

    public Task RemoveAsync(string key, CancellationToken cancel = default)
    {
        var path = PathOf(key);
        if (File.Exists(path))
        {
            File.Delete(path);
        }

        // A folder that has become empty goes too, but for those at the top.
        for (
            var folder = Path.GetDirectoryName(path)!;
            Path.GetRelativePath(_root, folder).Contains(Path.DirectorySeparatorChar) && TryRemoveEmpty(folder);
            folder = Path.GetDirectoryName(folder)!
        ) { }

        return Task.CompletedTask;
    }

    public Task<(string Digest, long Length)> PutFileAsync(string key, string path, bool isOwn, CancellationToken cancel = default) =>
        Task.Run(() => Put(PathOf(key), path, isOwn), cancel);

    public Task<string?> FetchFileAsync(string key, long length, string scratch, CancellationToken cancel = default) =>
        Task.FromResult(File.Exists(PathOf(key)) ? PathOf(key) : null);

    private static (string Digest, long Length) Put(string target, string path, bool isOwn)
    {
        var length = new FileInfo(path).Length;
        var digest = WrittenDigests.Of(path);
        return DiskErrors.Guard(target, length, () =>
        {
            var temporary = AtomicFile.TemporaryFor(target);
            try
            {
                if (isOwn)
                {
                    File.Move(path, temporary);
                }
                else
                {
                    File.Copy(path, temporary);
                }

                using (var written = new FileStream(temporary, FileMode.Open, FileAccess.ReadWrite))
                {
                    written.Flush(flushToDisk: true);
                }

                File.Move(temporary, target, overwrite: true);
            }
            catch
            {
                File.Delete(temporary);
                throw;
            }

            return (digest, length);
        });
    }

    private IReadOnlyList<StoredObject> List(string prefix, bool isDeep)
    {
        var folder = new DirectoryInfo(Path.Combine(_root, prefix[..(prefix.LastIndexOf('/') + 1)]));
        if (!folder.Exists)
        {
            return [];
        }

        var found = folder
            .EnumerateFiles("*", isDeep ? Own : new EnumerationOptions())
            .Where(file => file.Exists)
            .Select(file => new StoredObject(KeyOf(file), file.Length, file.LastWriteTimeUtc));
        var folders = isDeep
            ? []
            : folder.EnumerateDirectories().Select(one => new StoredObject(KeyOf(one) + "/", 0, DateTimeOffset.MaxValue));
        return
        [
            .. found
                .Concat(folders)
                .Where(item => item.Key.StartsWith(prefix, StringComparison.Ordinal))
                .OrderBy(item => item.Key, StringComparer.Ordinal),
        ];
    }

    private string KeyOf(FileSystemInfo found) => Path.GetRelativePath(_root, found.FullName).Replace(Path.DirectorySeparatorChar, '/');

    private string PathOf(string key) =>
        key.Split('/').All(part => part is not ("" or "." or ".."))
            ? Path.Combine(_root, key)
            : throw new ArgumentException($"'{key}' is not the key of an object.", nameof(key));

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
}
