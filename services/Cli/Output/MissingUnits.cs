using System.Globalization;

namespace ClipSae.Cli.Output;

/// <summary>Names of units that a run continues without, for people to read.</summary>
internal static class MissingUnits
{
    private const int MaxCount = 8;

    /// <summary>The first few names and how many more there are; empty if there are none.</summary>
    public static string Short(IReadOnlyList<string> names) =>
        string.Join(", ", names.Take(MaxCount))
        + (names.Count > MaxCount ? string.Create(CultureInfo.InvariantCulture, $" and {names.Count - MaxCount} more") : "");
}
