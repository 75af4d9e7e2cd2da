using System.Text.Json;
using ClipSae.Artifacts;

namespace ClipSae.ObjectStorage;

/// <summary>
/// Which version of each object a local folder holds: one line of JSON, <c>["key","version"]</c>, for each file that was brought; the
/// last line of a key counts. A line that was cut short, or written over by another process, only has its object brought again.
/// </summary>
internal sealed class FetchedVersions : IDisposable
{
    private readonly Dictionary<string, string> _known = new(StringComparer.Ordinal);
    private readonly FileStream _journal;
    private readonly Lock _gate = new();

    /// <param name="path">The file; made where it is not there.</param>
    public FetchedVersions(string path)
    {
        var lines = 0;
        foreach (var line in File.Exists(path) ? File.ReadLines(path) : [])
        {
            lines++;
            if (Parse(line) is [{ } key, { } version])
            {
                _known[key] = version;
            }
        }

        _journal = DiskErrors.Guard(path, null, () =>
        {
            if (lines > 2 * _known.Count)
            {
                AtomicFile.Write(path, [.. _known.SelectMany(known => Line(known.Key, known.Value))]);
            }

            return new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
        });
    }

    /// <summary>Whether this version of the object is the last that was brought.</summary>
    public bool Holds(StoredObject item)
    {
        lock (_gate)
        {
            return _known.GetValueOrDefault(item.Key) == VersionOf(item);
        }
    }

    /// <summary>Notes that this version of the object was brought.</summary>
    public void Note(StoredObject item)
    {
        lock (_gate)
        {
            _known[item.Key] = VersionOf(item);
            _journal.Write(Line(item.Key, VersionOf(item)));
        }
    }

    public void Dispose() => _journal.Dispose();

    // Both: an ETag may be that of other content (it need be no digest), and clocks of servers are as coarse as a second.
    private static string VersionOf(StoredObject item) => FormattableString.Invariant($"{item.Tag} {item.Written:O}");

    private static byte[] Line(string key, string version) =>
        [.. JsonSerializer.SerializeToUtf8Bytes<string[]>([key, version]), (byte)'\n'];

    private static string[]? Parse(string line)
    {
        try
        {
            return JsonSerializer.Deserialize<string[]>(line);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
