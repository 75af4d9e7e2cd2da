namespace ClipSae.Pages;

/// <summary>Round places for the marks of an axis.</summary>
public static class AxisTicks
{
    /// <summary>About <paramref name="count"/> round values from low to high, both covered.</summary>
    public static IReadOnlyList<double> Linear(double low, double high, int count)
    {
        var span = high - low;
        if (!(span > 0))
        {
            return [low];
        }

        var raw = span / count;
        var magnitude = Math.Pow(10, Math.Floor(Math.Log10(raw)));
        var step =
            magnitude
            * (
                (raw / magnitude) switch
                {
                    < 1.5 => 1,
                    < 3 => 2,
                    < 7 => 5,
                    _ => 10,
                }
            );
        var first = Math.Floor(low / step + 1e-9);
        var last = Math.Ceiling(high / step - 1e-9);
        return [.. Enumerable.Range(0, (int)(last - first) + 1).Select(i => Math.Round((first + i) * step, 12))];
    }

    /// <summary>Powers of ten from low to high, both covered; every n-th if there are many.</summary>
    public static IReadOnlyList<double> Logarithmic(double low, double high)
    {
        var first = (int)Math.Floor(Math.Log10(low));
        var last = Math.Max(first + 1, (int)Math.Ceiling(Math.Log10(high)));
        var step = Math.Max(1, (last - first + 3) / 4);
        return [.. Enumerable.Range(0, (last - first + step - 1) / step + 1).Select(i => Math.Pow(10, first + i * step))];
    }
}
