using Spectre.Console;

namespace ClipSae.Cli.Output;

/// <summary>
/// Lines that reach the caller as they are. The console folds what it lays out at its width, in a pipe too: within a path or a JSON string
/// that changes the text.
/// </summary>
internal static class UnfoldedLines
{
    /// <summary>Writes one line, however long.</summary>
    public static void WriteUnfolded(this IAnsiConsole console, string line) => console.Profile.Out.Writer.WriteLine(line);

    /// <summary>Writes prose: broken between words at a terminal's width, in a pipe one line. For texts without paths.</summary>
    public static void WriteProse(this IAnsiConsole console, string text)
    {
        foreach (var line in WordWrap.Lines(text, console.Profile.Width))
        {
            console.WriteUnfolded(line);
        }
    }
}
