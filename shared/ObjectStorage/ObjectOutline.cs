using System.Buffers;
using System.Security.Cryptography;
using ClipSae.Artifacts;
using Microsoft.Win32.SafeHandles;

namespace ClipSae.ObjectStorage;

/// <summary>What is known of a file before it is uploaded.</summary>
/// <param name="Digest">SHA-256 of the whole, hexadecimal.</param>
/// <param name="Length">Bytes.</param>
/// <param name="Parts">The parts it is sent in; null where it is sent whole, under its SHA-256.</param>
internal sealed record ObjectOutline(string Digest, long Length, PartDigests? Parts)
{
    /// <summary>Bytes that are read at once; parts are whole multiples of it.</summary>
    public const int Buffer = 1 << 20;

    /// <summary>
    /// Reads the file for its digest, unless that is known; those of the first parts are made meanwhile on another core.
    /// </summary>
    /// <param name="partBytes">Bytes of a part, unless there would be more parts than S3 allows.</param>
    /// <exception cref="EndOfStreamException">The file was cut short meanwhile.</exception>
    public static async Task<ObjectOutline> ReadAsync(string path, SafeFileHandle file, long partBytes, CancellationToken cancel)
    {
        var length = RandomAccess.GetLength(file);
        var parts = length <= partBytes ? null : new PartDigests(file, length, partBytes, cancel);
        if (WrittenDigests.Find(path) is not { } digest)
        {
            parts?.Begin();
            digest = await Task.Run(() => DigestAsync(file, length, cancel), cancel);
        }

        return new ObjectOutline(Artifacts.Digest.Hex(digest), length, parts);
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

            return position != length
                ? throw new EndOfStreamException()
                : Artifacts.Digest.Prefix + Convert.ToHexStringLower(hash.GetHashAndReset());
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(current);
            ArrayPool<byte>.Shared.Return(following);
        }
    }
}
