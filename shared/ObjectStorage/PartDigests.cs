using Microsoft.Win32.SafeHandles;

namespace ClipSae.ObjectStorage;

/// <summary>
/// MD5 of the parts that a file is uploaded in, which the server checks on arrival. They are made for a row of parts at once
/// (<see cref="Md5Lanes"/>), the row to come while the one before is on its way.
/// </summary>
internal sealed class PartDigests
{
    private const int MaxParts = 10_000;

    private readonly SafeFileHandle _file;
    private readonly long _length;
    private readonly Lazy<Task<byte[][]>>[] _rows;

    /// <param name="partBytes">Bytes of a part, unless there would be more parts than S3 allows.</param>
    public PartDigests(SafeFileHandle file, long length, long partBytes, CancellationToken cancel)
    {
        _file = file;
        _length = length;
        PartBytes =
            Math.Max(partBytes, ((length + MaxParts - 1) / MaxParts) + ObjectOutline.Buffer - 1)
            / ObjectOutline.Buffer
            * ObjectOutline.Buffer;
        Count = (int)((length + PartBytes - 1) / PartBytes);
        _rows =
        [
            .. Enumerable
                .Range(0, (Count + Md5Lanes.Count - 1) / Md5Lanes.Count)
                .Select(row => new Lazy<Task<byte[][]>>(() => Task.Run(() => Digests(row, cancel), cancel))),
        ];
    }

    /// <summary>Parts in all.</summary>
    public int Count { get; }

    /// <summary>Bytes of each part but the last.</summary>
    public long PartBytes { get; }

    /// <summary>Bytes of one part.</summary>
    public long LengthOf(int part) => Math.Min(PartBytes, _length - (part * PartBytes));

    /// <summary>Begins with the first row, if there is other work to do meanwhile.</summary>
    public void Begin() => _ = _rows[0].Value;

    /// <summary>MD5 of one part.</summary>
    /// <exception cref="EndOfStreamException">The file was cut short meanwhile.</exception>
    public async Task<byte[]> OfAsync(int part)
    {
        var (row, lane) = Math.DivRem(part, Md5Lanes.Count);
        var digests = await _rows[row].Value;
        if (row + 1 < _rows.Length)
        {
            _ = _rows[row + 1].Value;
        }

        return digests[lane];
    }

    private byte[][] Digests(int row, CancellationToken cancel)
    {
        var parts = Enumerable
            .Range(row * Md5Lanes.Count, Math.Min(Md5Lanes.Count, Count - (row * Md5Lanes.Count)))
            .ToLookup(part => LengthOf(part) == PartBytes, part => part * PartBytes);
        var whole = parts[true].ToArray();
        byte[][] digests = whole.Length > 0 ? Md5Lanes.OfSections(_file, whole, PartBytes, cancel) : [];
        return [.. digests, .. parts[false].SelectMany(start => Md5Lanes.OfSections(_file, [start], _length - start, cancel))];
    }
}
