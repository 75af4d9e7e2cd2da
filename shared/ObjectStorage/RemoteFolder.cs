using ClipSae.Artifacts;

namespace ClipSae.ObjectStorage;

/// <summary>Keeps a local mirror of what is under a prefix of a bucket.</summary>
public static class RemoteFolder
{
    private const int FilesAtOnce = 8;

    /// <summary>
    /// Downloads what is new or was written since, recognised by ETag and time of writing, and removes what is no longer in the bucket. An
    /// object is in the mirror under its key, so that mirrors of several prefixes of a bucket fit into each other.
    /// </summary>
    /// <param name="store">The bucket.</param>
    /// <param name="prefix">The folder in the bucket, or one object; empty for all of it.</param>
    /// <param name="mirror">The bucket's mirror; made where it is not there. A file next to it notes the versions it holds.</param>
    /// <param name="beside">Says by their names which objects are brought too where the prefix is one object and they are next to
    /// it.</param>
    /// <returns>Where the prefix is in the mirror, a folder or a file, and how many objects were found under it.</returns>
    /// <exception cref="UserErrorException">There is nothing, an object changed on its way, or a key cannot be the name of a
    /// file.</exception>
    public static async Task<(string Path, int Objects)> FetchAsync(
        S3ObjectStore store,
        string prefix,
        string mirror,
        Func<string, bool>? beside = null,
        CancellationToken cancel = default
    )
    {
        var root = Path.GetFullPath(mirror);
        var start = prefix.Trim('/');
        var target = LocalPath(store, root, start);
        var found = (await store.ListAsync(start, cancel: cancel))
            .Where(item =>
                !item.Key.EndsWith('/')
                && (start.Length == 0 || item.Key == start || item.Key.StartsWith(start + "/", StringComparison.Ordinal))
            )
            .ToArray();
        UserErrorException.ThrowIf(found.Length == 0, $"s3://{store.Options.Bucket}/{start}: there is nothing at {store.Options.Endpoint}");

        var wanted = found.ToDictionary(item => LocalPath(store, root, item.Key), StringComparer.Ordinal);
        RequireNoFileIsFolder(store, wanted);
        RemoveOthers(root, target, wanted);
        if (wanted.ContainsKey(target) && beside is not null)
        {
            var folder = start[..(start.LastIndexOf('/') + 1)];
            foreach (
                var item in (await store.ListAsync(folder, isDeep: false, cancel)).Where(item =>
                    !item.Key.EndsWith('/') && beside(item.Key[folder.Length..])
                )
            )
            {
                wanted.TryAdd(LocalPath(store, root, item.Key), item);
            }

            RemoveBeside(target, wanted, beside);
        }

        using var versions = new FetchedVersions(
            Path.Combine(Directory.CreateDirectory(Path.GetDirectoryName(root)!).FullName, $".{Path.GetFileName(root)}.versions")
        );
        var transfer = new ObjectTransfer(store);
        await Parallel.ForEachAsync(
            wanted,
            new ParallelOptions { MaxDegreeOfParallelism = FilesAtOnce, CancellationToken = cancel },
            async (pair, token) =>
            {
                var (path, item) = pair;
                if (new FileInfo(path) is { Exists: true } file && file.Length == item.Length && versions.Holds(item))
                {
                    return;
                }

                var temporary = AtomicFile.TemporaryFor(path);
                try
                {
                    await DiskErrors.GuardAsync(path, item.Length, async () =>
                    {
                        await transfer.DownloadAsync(item, temporary, token);
                        return 0;
                    });
                    File.Move(temporary, path, overwrite: true);
                    versions.Note(item);
                }
                finally
                {
                    File.Delete(temporary);
                }
            }
        );
        return (target, found.Length);
    }

    // Whoever may write to the bucket chooses the keys: none of them may name a place outside of the mirror, or the place of another.
    private static string LocalPath(S3ObjectStore store, string root, string key) =>
        key.Length == 0 || key.Split('/').All(part => part is not ("" or "." or ".."))
            ? Path.Combine(root, key)
            : throw new UserErrorException($"s3://{store.Options.Bucket}/{key} would lead out of its folder: rename the object");

    private static void RequireNoFileIsFolder(S3ObjectStore store, Dictionary<string, StoredObject> wanted)
    {
        foreach (var (path, item) in wanted)
        {
            for (var folder = Path.GetDirectoryName(path); folder is not null; folder = Path.GetDirectoryName(folder))
            {
                UserErrorException.ThrowIf(
                    wanted.TryGetValue(folder, out var both),
                    $"s3://{store.Options.Bucket}/{both.Key} is an object and, for {item.Key}, a folder too: rename one of them"
                );
            }
        }
    }

    private static void RemoveBeside(string target, Dictionary<string, StoredObject> wanted, Func<string, bool> beside)
    {
        var folder = Path.GetDirectoryName(target)!;
        foreach (
            var file in Directory.Exists(folder)
                ? Directory.GetFiles(folder).Where(file => !wanted.ContainsKey(file) && beside(Path.GetFileName(file)))
                : []
        )
        {
            File.Delete(file);
        }
    }

    private static void RemoveOthers(string root, string target, Dictionary<string, StoredObject> wanted)
    {
        // What was an object by this name may be a folder now, and the other way round.
        for (var path = target; path.Length > root.Length; path = Path.GetDirectoryName(path)!)
        {
            if (File.Exists(path) && !wanted.ContainsKey(path))
            {
                File.Delete(path);
            }
        }

        if (!Directory.Exists(target))
        {
            return;
        }

        // Links may lead to places that are not the mirror's.
        var own = new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.ReparsePoint };
        foreach (
            var file in Directory.EnumerateFiles(target, "*", own).Where(file => !wanted.ContainsKey(file) && !AtomicFile.IsTemporary(file))
        )
        {
            File.Delete(file);
        }

        foreach (
            var folder in Directory
                .GetDirectories(target, "*", own)
                .Append(target)
                .OrderByDescending(folder => folder.Length)
                .Where(folder => !Directory.EnumerateFileSystemEntries(folder).Any())
        )
        {
            Directory.Delete(folder);
        }
    }
}
