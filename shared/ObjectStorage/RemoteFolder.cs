using ClipSae.Artifacts;
using ClipSae.Contracts;

namespace ClipSae.ObjectStorage;

/// <summary>Brings what lies under a prefix of a bucket into a local folder.</summary>
public static class RemoteFolder
{
    private const int FilesAtOnce = 8;

    /// <summary>Downloads what is not there yet, or has another length.</summary>
    /// <param name="store">The bucket.</param>
    /// <param name="prefix">The folder in the bucket, or one object; empty for all of it.</param>
    /// <param name="folder">Where it goes; made where it is not there.</param>
    /// <returns>How many files the folder has.</returns>
    /// <exception cref="UserErrorException">There is nothing, or a key would lead out of the folder.</exception>
    public static async Task<int> FetchAsync(ObjectStore store, string prefix, string folder, CancellationToken cancel)
    {
        var root = Path.GetFullPath(folder) + Path.DirectorySeparatorChar;
        var start = prefix.Trim('/');
        var found = (await store.ListAsync(start, cancel: cancel))
            .Where(item => !item.Key.EndsWith('/') && (start.Length == 0 || item.Key == start || item.Key.StartsWith(start + "/", StringComparison.Ordinal))).ToArray();
        if (found.Length == 0)
        {
            throw new UserErrorException($"s3://{store.Options.Bucket}/{start}: there is nothing at {store.Options.Endpoint}");
        }

        var transfer = new ObjectTransfer(store);
        await Parallel.ForEachAsync(found, new ParallelOptions { MaxDegreeOfParallelism = FilesAtOnce, CancellationToken = cancel }, async (item, token) =>
        {
            var name = item.Key == start ? Path.GetFileName(start) : item.Key[(start.Length == 0 ? 0 : start.Length + 1)..];
            var target = Path.GetFullPath(Path.Combine(root, name));
            if (!target.StartsWith(root, StringComparison.Ordinal))
            {
                throw new UserErrorException($"s3://{store.Options.Bucket}/{item.Key} would lead out of its folder: rename the object");
            }

            if (new FileInfo(target) is { Exists: true } file && file.Length == item.Length)
            {
                return;
            }

            var temporary = AtomicFile.TemporaryFor(target);
            try
            {
                await DiskErrors.GuardAsync(target, item.Length, () => transfer.DownloadAsync(item.Key, item.Length, temporary, token));
                File.Move(temporary, target, overwrite: true);
            }
            finally
            {
                File.Delete(temporary);
            }
        });
        return found.Length;
    }
}
