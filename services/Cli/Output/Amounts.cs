using System.Globalization;

namespace ClipSae.Cli.Output;

/// <summary>Writes numbers for people: durations, rates, shares, sizes.</summary>
internal static class Amounts
{
    public static string Duration(TimeSpan time) =>
        time switch
        {
            { TotalSeconds: < 10 } => string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0.0} s"),
            { TotalSeconds: < 120 } => string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0} s"),
            { TotalHours: < 1 } => string.Create(CultureInfo.InvariantCulture, $"{(int)time.TotalMinutes} min {time.Seconds:00} s"),
            _ => string.Create(CultureInfo.InvariantCulture, $"{(int)time.TotalHours} h {time.Minutes:00} min"),
        };

    public static string Rate(double perSecond, string unit) =>
        string.Create(CultureInfo.InvariantCulture, $"{Significant(perSecond)} {unit}/s");

    /// <summary>A fraction as per cent with one decimal.</summary>
    public static string Share(double? fraction) =>
        fraction is { } value ? string.Create(CultureInfo.InvariantCulture, $"{value * 100:0.0} %") : "–";

    /// <summary>A difference of fractions as per cent with its sign.</summary>
    public static string Points(double difference) => string.Create(CultureInfo.InvariantCulture, $"{difference * 100:+0.0;-0.0;0.0} %");

    /// <summary>A whole number.</summary>
    public static string Whole(double value) => value.ToString("0", CultureInfo.InvariantCulture);

    /// <summary>Three decimals.</summary>
    public static string Decimals(double value) => value.ToString("0.000", CultureInfo.InvariantCulture);

    /// <summary>Three significant digits.</summary>
    public static string Significant(double value) =>
        Math.Abs(value) switch
        {
            >= 100 => value.ToString("0", CultureInfo.InvariantCulture),
            >= 10 => value.ToString("0.0", CultureInfo.InvariantCulture),
            >= 1 => value.ToString("0.00", CultureInfo.InvariantCulture),
            0 => "0",
            >= 0.001 => value.ToString("0.000", CultureInfo.InvariantCulture),
            _ => value.ToString("0.0e+0", CultureInfo.InvariantCulture),
        };

    public static string Bytes(long bytes) =>
        bytes switch
        {
            >= 1L << 30 => string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1L << 30):0.0} GiB"),
            >= 1L << 20 => string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1L << 20):0.0} MiB"),
            >= 1L << 10 => string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1L << 10):0.0} KiB"),
            _ => $"{bytes} B",
        };
}
