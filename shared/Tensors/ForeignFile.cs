using System.Text.Json;

namespace ClipSae.Tensors;

/// <summary>
/// Files that people have in the place of weights or vocabularies, recognised by what they begin with: what they are, and what to do.
/// </summary>
public static class ForeignFile
{
    /// <summary>As much of a file's beginning as is looked at.</summary>
    public const int PrefixLength = 512;

    private const string Unpack = "unpack it, and use the weight file in it";
    private const string Download = "download the file itself (on Hugging Face its address has /resolve/ in it, not /blob/)";

    private static readonly (byte[] Magic, string What)[] Known =
    [
        ([.. "GGUF"u8], "a GGUF file, as language models are quantised for llama.cpp: use weights as safetensors"),
        ([0x89, .. "HDF"u8], "an HDF5 file of Keras or TensorFlow: use weights as safetensors or from PyTorch"),
        ([0x93, .. "NUMPY"u8], "a NumPy array: save the weights as safetensors"),
        ([0x1f, 0x8b], $"packed by gzip: {Unpack}"),
        ([0x28, 0xb5, 0x2f, 0xfd], $"packed by zstd: {Unpack}"),
        ([0xfd, .. "7zXZ"u8], $"packed by xz: {Unpack}"),
        ([.. "7z"u8, 0xbc, 0xaf], $"packed by 7-Zip: {Unpack}"),
        ([.. "Rar!"u8], $"packed by RAR: {Unpack}"),
        ([0x89, .. "PNG"u8], "a picture: use the file of weights"),
        ([0xff, 0xd8, 0xff], "a picture: use the file of weights"),
        ([.. "%PDF"u8], "a PDF: use the file of weights"),
    ];

    /// <summary>One line on a file, or null where its beginning is none of these.</summary>
    /// <param name="start">The file's first <see cref="PrefixLength"/> bytes, or all of a shorter one.</param>
    public static string? Recognise(ReadOnlySpan<byte> start)
    {
        if (start.IsEmpty)
        {
            return "is empty, or no regular file: the download did not start; download it again";
        }

        foreach (var (magic, what) in Known)
        {
            if (start.StartsWith(magic))
            {
                return $"is {what}";
            }
        }

        var text = start.TrimStart((ReadOnlySpan<byte>)[0xef, 0xbb, 0xbf, 0x20, 0x09, 0x0d, 0x0a]);
        return text.StartsWith("version https://git-lfs"u8)
                ? "is a pointer of git-lfs, and not the file itself: run 'git lfs pull' where it was cloned, or download the file"
            : text.Length > 0 && text[0] == (byte)'<' ? $"is a web page (HTML), and not the file: {Download}"
            : text.Length > 0 && text[0] == (byte)'{' ? Json(text)
            : start.Length > 262 && start[257..].StartsWith("ustar"u8) ? $"is a tar archive: {Unpack}"
            : start.IndexOf("onnx"u8) is >= 0 and < 64 || (start[0] == 8 && start.IndexOf("pytorch"u8) is >= 0 and < 16)
                ? "is an ONNX graph, which is written but not read: use the weights it was made from"
            : !start.ContainsAnyExcept((byte)0) ? "begins with zeros only: the download did not finish; download it again"
            : null;
    }

    /// <summary>
    /// The first bytes of a file, for <see cref="Recognise"/>; none of what is no regular file, which could keep a reader waiting for ever.
    /// </summary>
    /// <exception cref="IOException">It cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">It must not be read.</exception>
    public static byte[] Start(string path)
    {
        // Asked before opening: a pipe or a device has no length.
        var target = File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? path;
        if (new FileInfo(target).Length == 0)
        {
            return [];
        }

        using var file = File.OpenHandle(target);
        var start = new byte[PrefixLength];
        return start[..RandomAccess.Read(file, start, 0)];
    }

    // Servers answer with an error in JSON; descriptions are JSON too.
    private static string Json(ReadOnlySpan<byte> text)
    {
        const int MaxLength = 120;
        try
        {
            var reader = new Utf8JsonReader(text, isFinalBlock: false, state: default);
            for (var depth = 0; depth < 16 && reader.Read(); depth++)
            {
                if (
                    reader.TokenType == JsonTokenType.PropertyName
                    && (reader.ValueTextEquals("error"u8) || reader.ValueTextEquals("message"u8))
                    && reader.Read()
                    && reader.TokenType == JsonTokenType.String
                )
                {
                    var error = reader.GetString()!;
                    return "is a server's answer in JSON, and not the file: "
                        + $"it says '{string.Concat(error.Take(MaxLength).Where(letter => !char.IsControl(letter)))}'; "
                        + "log in, check the address, and download it again";
                }
            }
        }
        catch (Exception failure) when (failure is JsonException or InvalidOperationException)
        {
            return "begins like JSON but is not valid: download it again";
        }

        return "is JSON, a description or a server's answer: use the file of weights";
    }
}
