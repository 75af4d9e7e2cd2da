using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;

namespace ClipSae.Contracts;

/// <summary>
/// A failure that the user caused and can fix. Its message is one line: what is wrong, where, and what to do about it. Messages quote names
/// out of files, which may hold anything: control characters are written as <c>\u001B</c>, and of a very long message beginning and end are
/// kept.
/// </summary>
public class UserErrorException : Exception
{
    private const int KeptStart = 800;
    private const int KeptEnd = 400;

    public UserErrorException(string message)
        : base(OneLine(message)) { }

    public UserErrorException(string message, Exception innerException)
        : base(OneLine(message), innerException) { }

    /// <summary>Throws it if there is a problem.</summary>
    public static void ThrowIf([DoesNotReturnIf(true)] bool isProblem, string message)
    {
        if (isProblem)
        {
            throw new UserErrorException(message);
        }
    }

    /// <inheritdoc cref="ThrowIf(bool, string)"/>
    public static void ThrowIf(
        [DoesNotReturnIf(true)] bool isProblem,
        [InterpolatedStringHandlerArgument(nameof(isProblem))] ref ProblemMessage message
    )
    {
        if (isProblem)
        {
            throw new UserErrorException(message.ToStringAndClear());
        }
    }

    /// <summary>The first line of what a library says, without its full stop: what fits into a user's line.</summary>
    public static string FirstLine(string message) => message.Split('\n')[0].TrimEnd('\r', '.');

    private static string OneLine(string message)
    {
        var line = Escape(message.ReplaceLineEndings(" "));
        return line.Length <= KeptStart + KeptEnd ? line : $"{line.AsSpan(0, KeptStart)} […] {line.AsSpan(line.Length - KeptEnd)}";
    }

    private static string Escape(string line)
    {
        if (!line.Any(char.IsControl))
        {
            return line;
        }

        var escaped = new StringBuilder();
        foreach (var character in line)
        {
            _ = char.IsControl(character)
                ? escaped.Append(CultureInfo.InvariantCulture, $"\\u{(int)character:X4}")
                : escaped.Append(character);
        }

        return escaped.ToString();
    }
}
