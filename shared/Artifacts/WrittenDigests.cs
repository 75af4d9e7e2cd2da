namespace ClipSae.Artifacts;

/// <summary>
/// Digests of files that this process wrote (<see cref="DigestedFile"/>). A file that has changed since, by length or time of writing,
/// is read like any other. What checks that a file is what it was when it was stored reads it in any case: <see cref="Digest.OfFile"/>.
/// </summary>
public static class WrittenDigests
{
    private const int MaxCount = 256;
    private static readonly Lock Gate = new();
    private static readonly Dictionary<string, (string Digest, long Length, DateTime Written)> Known = new(StringComparer.Ordinal);
    private static readonly Queue<string> Order = new();

    /// <summary>Digest of a file's content.</summary>
    public static string Of(string path) => Find(path) ?? Digest.OfFile(path);

    /// <summary>Digest of a file that this process wrote and nobody has changed since; null of any other.</summary>
    public static string? Find(string path)
    {
        var file = new FileInfo(path);
        lock (Gate)
        {
            return
                file.Exists
                && Known.TryGetValue(file.FullName, out var known)
                && (known.Length, known.Written) == (file.Length, file.LastWriteTimeUtc)
                ? known.Digest
                : null;
        }
    }

    internal static void Remember(string path, string digest)
    {
        var file = new FileInfo(path);
        lock (Gate)
        {
            if (!Known.ContainsKey(file.FullName))
            {
                Order.Enqueue(file.FullName);
            }

            Known[file.FullName] = (digest, file.Length, file.LastWriteTimeUtc);
            if (Order.Count > MaxCount)
            {
                Known.Remove(Order.Dequeue());
            }
        }
    }
}
