using System.Globalization;

namespace ClipSae.WeightConversion;

/// <summary>
/// Which α of a WiSE-FT sweep is taken: the most attacked accuracy among those whose clean accuracy is at most
/// <paramref name="CleanTolerance"/> below the base's; of equals the one nearest to the base. It sees the metrics of validation sets alone.
/// </summary>
/// <param name="CleanTolerance">Clean accuracy that may be lost, as a fraction of all images. Default 0.01: one image in a hundred.</param>
public sealed record AlphaRule(double CleanTolerance = 0.01)
{
    // Accuracies are quotients of whole numbers; a tolerance that is meant to be met exactly must not fail by a rounding.
    private const double Rounding = 1e-9;

    /// <summary>Clean accuracy that a chosen model has at least.</summary>
    /// <param name="points">The sweep, with the base at α 0.</param>
    public double Floor(IReadOnlyList<FrontierPoint> points) => points.Single(point => point.Alpha == 0).Clean - CleanTolerance;

    /// <summary>The chosen point; the base itself where nothing better keeps its clean accuracy.</summary>
    /// <param name="points">The sweep, with the base at α 0.</param>
    public FrontierPoint Choose(IReadOnlyList<FrontierPoint> points)
    {
        var floor = Floor(points) - Rounding;
        return points.Where(point => point.Clean >= floor).OrderByDescending(point => point.Attacked).ThenBy(point => point.Alpha).First();
    }

    public override string ToString() =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"the most attacked accuracy on the validation sets among the α whose clean accuracy there is at "
                + $"most {100 * CleanTolerance:0.##} points below the base's; of equals the smallest α"
        );
}
