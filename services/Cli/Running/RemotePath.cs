using ClipSae.Cli.CommandLine;
using ClipSae.Clip.Checkpoints;
using ClipSae.Clip.Tokenizers;
using ClipSae.ObjectStorage;

namespace ClipSae.Cli.Running;

/// <summary>Paths of the form <c>s3://bucket/folder</c>, in the object store that the environment names.</summary>
internal static class RemotePath
{
    private const string Scheme = "s3://";

    /// <summary>
    /// The path itself where it is local; otherwise where it is in the data folder's mirror of its bucket, which is brought up to date.
    /// Null stays null.
    /// </summary>
    /// <exception cref="WrongUseException">It is no address, or no object store is configured.</exception>
    public static async Task<string?> LocalAsync(string option, string? given, Session session, CancellationToken cancel)
    {
        if (given is null || !given.StartsWith(Scheme, StringComparison.Ordinal))
        {
            return given;
        }

        var settings = Workplace.Settings(session);
        if (given[Scheme.Length..].Split('/', 2) is not [{ Length: > 0 } bucket, .. var rest] || settings.S3.Endpoint.Length == 0)
        {
            throw new WrongUseException(
                $"{option} {given}: expected s3://bucket/folder, and the object store in ClipSae__S3__Endpoint, __AccessKey and __SecretKey"
            );
        }

        using var store = new S3ObjectStore(settings.S3 with { Bucket = bucket }, session.Time);
        var (path, objects) = await RemoteFolder.FetchAsync(
            store,
            rest.FirstOrDefault() ?? "",
            Path.Combine(session.DataFolder, "remote", Path.GetFileName(bucket)),
            name => ClipTokenizer.IsVocabulary(name) || ClipCheckpoint.IsDescription(name),
            cancel
        );
        session.Tell($"{given}: {objects} {(objects == 1 ? "file" : "files")} in {path}");
        return path;
    }
}
