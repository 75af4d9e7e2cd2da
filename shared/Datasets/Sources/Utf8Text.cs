using System.Text;

namespace ClipSae.Datasets.Sources;

/// <summary>
/// Text files that users bring: UTF-8, or UTF-16 with its mark. Any other encoding is refused, never guessed: a wrong guess would read on
/// as nonsense.
/// </summary>
public static class Utf8Text
{
    /// <summary>What is wrong and what to do, after the file's name.</summary>
    public const string Remedy = "is not UTF-8; save it as UTF-8 (from Windows: iconv -f WINDOWS-1252 -t UTF-8, or \"CSV UTF-8\" in Excel)";

    /// <summary>The lines of a file.</summary>
    /// <exception cref="UserErrorException">A line is not UTF-8; the message names file and line.</exception>
    public static IReadOnlyList<string> Lines(string path) => Read(path, reader =>
        {
            var lines = new List<string>();
            while (reader.ReadLine() is { } line)
            {
                lines.Add(line);
            }

            return lines;
        });

    /// <summary>Reads a file from its beginning.</summary>
    /// <exception cref="UserErrorException">What is read is not UTF-8; the message names file and line.</exception>
    public static T Read<T>(string path, Func<TextReader, T> read)
    {
        using var reader = Strict(path);
        try
        {
            return read(reader);
        }
        catch (DecoderFallbackException error)
        {
            throw new UserErrorException($"{path}, line {FirstWrongLine(path)}, {Remedy}.", error);
        }
    }

    /// <summary>A reader that throws <see cref="DecoderFallbackException"/> on bytes that are no text.</summary>
    internal static StreamReader Strict(string path) =>
        new(path, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true));

    // Readers decode ahead of what they hand out, so the place is looked for apart.
    private static int FirstWrongLine(string path)
    {
        using var file = File.OpenRead(path);
        using var lenient = new StreamReader(
            file,
            new UTF8Encoding(false, throwOnInvalidBytes: false),
            detectEncodingFromByteOrderMarks: true
        );
        var number = 1;
        while (lenient.ReadLine() is { } line && !line.Contains('\uFFFD', StringComparison.Ordinal))
        {
            number++;
        }

        return number;
    }
}
