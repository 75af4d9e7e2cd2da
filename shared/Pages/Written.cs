using System.Globalization;

namespace ClipSae.Pages;

/// <summary>How numbers are written for people. A missing number is a dash.</summary>
public static class Written
{
    public const string Missing = "–";

    private const int ShortDigest = 12;

    // A narrow space keeps number and unit together.
    private const string Space = "\u202f";

    /// <summary>A fraction as a percentage: 95.4 %.</summary>
    public static string Percent(double? value) =>
        value is { } number && double.IsFinite(number) ? Text(100 * number, "0.0") + Space + "%" : Missing;

    /// <summary>A fraction that is a round percentage: 25 %.</summary>
    public static string Share(double value) => (100 * value).ToString("0.#", CultureInfo.InvariantCulture) + Space + "%";

    /// <summary>A fraction that may be very small, to a thousandth of a per cent: 0.031 %.</summary>
    public static string Rare(double? value) =>
        value is > 0 and < 0.001 ? (100 * value.Value).ToString("0.###", CultureInfo.InvariantCulture) + Space + "%" : Percent(value);

    /// <summary>A difference of fractions in percentage points, with its sign.</summary>
    public static string Points(double? value) =>
        value is { } number && double.IsFinite(number) ? Text(100 * number, "+0.0;−0.0;0.0") + Space + "pt" : Missing;

    /// <summary>An interval of fractions: 94.1–96.8.</summary>
    public static string Range(double? low, double? high) =>
        low is { } from && high is { } to ? $"{Text(100 * from, "0.0")}–{Text(100 * to, "0.0")}" : "";

    /// <summary>An interval of differences: −0.3 to +1.2.</summary>
    public static string SignedRange(double? low, double? high) =>
        low is { } from && high is { } to ? $"{Text(100 * from, "+0.0;−0.0;0.0")} to {Text(100 * to, "+0.0;−0.0;0.0")}" : "";

    /// <summary>A number with its sign, to a thousandth.</summary>
    public static string Signed(double value) => Text(value, "+0.000;−0.000;0.000");

    /// <summary>A p-value; nothing if there is none.</summary>
    public static string Probability(double? value) =>
        value is not { } number ? ""
        : number < 0.0001 ? "< 0.0001"
        : Text(number, "0.####");

    /// <summary>A figure with three significant digits.</summary>
    public static string Number(double? value)
    {
        if (value is not { } number || !double.IsFinite(number))
        {
            return Missing;
        }

        return Math.Abs(number) switch
        {
            0 => "0",
            >= 100_000 or < 0.001 => number.ToString("0.0e+0", CultureInfo.InvariantCulture).Replace("-", "−", StringComparison.Ordinal),
            >= 100 => Text(number, "#,0"),
            >= 10 => Text(number, "0.0"),
            >= 1 => Text(number, "0.00"),
            _ => Text(number, "0.000"),
        };
    }

    /// <summary>A whole number with separated thousands.</summary>
    public static string Count(double? value) => value is { } number ? Text(number, "#,0") : Missing;

    public static string Duration(double seconds) =>
        seconds switch
        {
            < 1 => Text(1000 * seconds, "0") + Space + "ms",
            < 60 => Text(seconds, "0.0") + Space + "s",
            < 3600 => $"{Text(Math.Floor(seconds / 60), "0")}{Space}min {Text(seconds % 60, "0")}{Space}s",
            _ => $"{Text(Math.Floor(seconds / 3600), "0")}{Space}h {Text(seconds % 3600 / 60, "0")}{Space}min",
        };

    public static string Bytes(double bytes) =>
        bytes switch
        {
            < 1024 => Text(bytes, "0") + Space + "B",
            < 1024 * 1024 => Text(bytes / 1024, "0.0") + Space + "KiB",
            < 1024L * 1024 * 1024 => Text(bytes / 1048576, "0.0") + Space + "MiB",
            _ => Text(bytes / 1073741824, "0.0") + Space + "GiB",
        };

    /// <summary>The first digits of a digest, enough to recognise it.</summary>
    public static string Short(string? digest)
    {
        var hex = digest?.Replace("sha256:", "", StringComparison.Ordinal);
        return hex is null ? Missing : hex[..Math.Min(ShortDigest, hex.Length)];
    }

    private static string Text(double number, string format) =>
        number.ToString(format, CultureInfo.InvariantCulture).Replace("-", "−", StringComparison.Ordinal);
}
