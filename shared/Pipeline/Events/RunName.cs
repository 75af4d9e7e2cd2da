using System.Globalization;
using System.Security.Cryptography;
using System.Text.RegularExpressions;

namespace ClipSae.Pipeline.Events;

/// <summary>Names of runs: letters, digits, '-', '_' and '.', so that they are file names and keys everywhere.</summary>
public static partial class RunName
{
    // 48 bits: two that begin in one second, out of any number of processes, do not share a name.
    private const int Random = 12;

    /// <summary>A new name that sorts by time: <c>20261123-233800-1f0c5a7be914</c>.</summary>
    public static string New(TimeProvider time) =>
        time.GetUtcNow().ToString("yyyyMMdd-HHmmss", CultureInfo.InvariantCulture)
        + "-"
        + RandomNumberGenerator.GetHexString(Random, lowercase: true);

    /// <summary>
    /// Whether the name is one that <see cref="New"/> gives, or gave when four digits were random, so that among such names the last is the
    /// newest.
    /// </summary>
    public static bool TellsTime(string run) => Timed().IsMatch(run);

    /// <exception cref="UserErrorException">The name has other characters or is longer than 100.</exception>
    public static void Require(string run) =>
        UserErrorException.ThrowIf(
            run.Length is 0 or > 100
                || run[0] == '.'
                || run.Any(character => !char.IsAsciiLetterOrDigit(character) && character is not ('-' or '_' or '.')),
            $"'{run}' is not a valid run name: use letters, digits, '-', '_' and '.', at most 100"
        );

    [GeneratedRegex("^[0-9]{8}-[0-9]{6}-([0-9a-f]{4}|[0-9a-f]{12})$")]
    private static partial Regex Timed();
}
