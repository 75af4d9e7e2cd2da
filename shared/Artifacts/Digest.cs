using System.Security.Cryptography;
using System.Text;

namespace ClipSae.Artifacts;

/// <summary>Content digests in the form <c>sha256:hex</c>.</summary>
public static class Digest
{
    public const string Prefix = "sha256:";

    /// <summary>Digest of a file's content.</summary>
    public static string OfFile(string path)
    {
        using var stream = new FileStream(
            path,
            FileMode.Open,
            FileAccess.Read,
            FileShare.Read,
            bufferSize: 1 << 20,
            FileOptions.SequentialScan
        );
        return Prefix + Convert.ToHexStringLower(SHA256.HashData(stream));
    }

    /// <summary>Digest of bytes in memory.</summary>
    public static string OfBytes(ReadOnlySpan<byte> content) => Prefix + Convert.ToHexStringLower(SHA256.HashData(content));

    /// <summary>Digest of a text's UTF-8 bytes.</summary>
    public static string OfText(string text) => OfBytes(Encoding.UTF8.GetBytes(text));

    /// <summary>The 64 hexadecimal digits of a digest.</summary>
    /// <exception cref="UserErrorException">The text is not a digest.</exception>
    public static string Hex(string digest)
    {
        if (
            digest.Length == Prefix.Length + 64
            && digest.StartsWith(Prefix, StringComparison.Ordinal)
            && digest.AsSpan(Prefix.Length).IndexOfAnyExcept("0123456789abcdef") < 0
        )
        {
            return digest[Prefix.Length..];
        }

        throw new UserErrorException($"'{digest}' is not a digest: expected sha256: and 64 lower-case hexadecimal digits");
    }
}
