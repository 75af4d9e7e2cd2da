using ClipSae.ObjectStorage;

namespace ClipSae.Cli;

/// <summary>Paths of the form <c>s3://bucket/folder</c>, in the object store that the environment names.</summary>
internal static class RemotePath
{
    private const string Scheme = "s3://";

    /// <summary>The path itself where it is local; otherwise a folder of the data folder to which everything under it was brought.</summary>
    /// <exception cref="WrongUseException">It is no address, or no object store is configured.</exception>
    public static async Task<string> LocalAsync(string option, string given, Session session, CancellationToken cancel)
    {
        if (!given.StartsWith(Scheme, StringComparison.Ordinal))
        {
            return given;
        }

        var parts = given[Scheme.Length..].Split('/', 2, StringSplitOptions.RemoveEmptyEntries);
        var settings = Workplace.Settings(session);
        if (parts.Length == 0 || settings.S3.Endpoint.Length == 0)
        {
            throw new WrongUseException($"{option} {given}: expected s3://bucket/folder, and the object store in ClipSae__S3__Endpoint, __AccessKey and __SecretKey");
        }

        var prefix = parts.ElementAtOrDefault(1) ?? "";
        var folder = Path.Combine([session.DataFolder, "remote", parts[0], .. prefix.Split('/', StringSplitOptions.RemoveEmptyEntries).Select(Path.GetFileName)!]);
        using var store = new ObjectStore(settings.S3 with { Bucket = parts[0] }, session.Time);
        var files = await RemoteFolder.FetchAsync(store, prefix, folder, cancel);
        session.Tell($"{given}: {files} files in {folder}");
        return files == 1 && File.Exists(Path.Combine(folder, Path.GetFileName(prefix))) ? Path.Combine(folder, Path.GetFileName(prefix)) : folder;
    }
}
