using System.Buffers;
using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;

namespace ClipSae.ObjectStorage;

/// <summary>What is known of a file before it is uploaded: its digest, and those of its parts that the server checks on arrival.</summary>
/// <param name="Digest">SHA-256 of the whole, hexadecimal.</param>
/// <param name="Length">Bytes.</param>
/// <param name="PartBytes">Bytes of each part but the last.</param>
/// <param name="Parts">MD5 of each part; of none where the file is sent whole, under its SHA-256.</param>
internal sealed record ObjectOutline(string Digest, long Length, long PartBytes, IReadOnlyList<byte[]> Parts)
{
    /// <summary>Bytes that are read at once; parts are whole multiples of it.</summary>
    public const int Buffer = 1 << 20;

    private const int MostParts = 10_000;

    /// <summary>Reads the file: the digest of the whole on one core, those of the parts beside it on another.</summary>
    /// <param name="partBytes">Bytes of a part, unless there would be more parts than S3 allows.</param>
    /// <exception cref="EndOfStreamException">The file was cut short meanwhile.</exception>
    public static async Task<ObjectOutline> ReadAsync(SafeFileHandle file, long partBytes, CancellationToken cancel)
    {
        var length = RandomAccess.GetLength(file);
        partBytes = Math.Max(partBytes, ((length + MostParts - 1) / MostParts) + Buffer - 1) / Buffer * Buffer;
        var parts = length <= partBytes ? Task.FromResult<IReadOnlyList<byte[]>>([]) : Task.Run(() => DigestParts(file, length, partBytes, cancel), cancel);
        var whole = Task.Run(() => DigestAsync(file, length, cancel), cancel);
        await Task.WhenAll(parts, whole);
        return new ObjectOutline(await whole, length, partBytes, await parts);
    }

    private static IReadOnlyList<byte[]> DigestParts(SafeFileHandle file, long length, long partBytes, CancellationToken cancel)
    {
        var digests = new List<byte[]>();
        var whole = length / partBytes;
        for (long part = 0; part < whole; part += Md5Lanes.Count)
        {
            var first = part;
            long[] starts = [.. Enumerable.Range(0, (int)Math.Min(Md5Lanes.Count, whole - part)).Select(lane => (first + lane) * partBytes)];
            digests.AddRange(Md5Lanes.OfSections(file, starts, partBytes, cancel));
        }

        if (length % partBytes > 0)
        {
            digests.AddRange(Md5Lanes.OfSections(file, [whole * partBytes], length % partBytes, cancel));
        }

        return digests;
    }

    // The next piece is read while this one is digested.
    private static async Task<string> DigestAsync(SafeFileHandle file, long length, CancellationToken cancel)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var (current, following) = (ArrayPool<byte>.Shared.Rent(Buffer), ArrayPool<byte>.Shared.Rent(Buffer));
        try
        {
            var read = await RandomAccess.ReadAsync(file, current.AsMemory(0, Buffer), 0, cancel);
            long position = read;
            while (read > 0)
            {
                var next = RandomAccess.ReadAsync(file, following.AsMemory(0, Buffer), position, cancel);
                hash.AppendData(current, 0, read);
                read = await next;
                position += read;
                (current, following) = (following, current);
            }

            return position != length ? throw new EndOfStreamException() : Convert.ToHexStringLower(hash.GetHashAndReset());
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(current);
            ArrayPool<byte>.Shared.Return(following);
        }
    }
}
