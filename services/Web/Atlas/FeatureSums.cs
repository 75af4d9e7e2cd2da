using ClipSae.Results.Autoencoders;
using static TorchSharp.torch;

namespace ClipSae.Web.Atlas;

/// <summary>
/// Sums over pictures of each feature's activation in two models, from which their frequencies, means and correlation follow.
/// </summary>
internal sealed class FeatureSums(int latents)
{
    private readonly double[] _fires = new double[latents];
    private readonly double[] _tunedFires = new double[latents];
    private readonly double[] _sum = new double[latents];
    private readonly double[] _tunedSum = new double[latents];
    private readonly double[] _squares = new double[latents];
    private readonly double[] _tunedSquares = new double[latents];
    private readonly double[] _products = new double[latents];
    private int _pictures;

    /// <param name="before">Mean activations in the base, none negative, [pictures, latents].</param>
    /// <param name="after">The same in the tuned model.</param>
    public void Add(Tensor before, Tensor after)
    {
        using var scope = NewDisposeScope();
        var (x, y) = (before.to(float64), after.to(float64));
        AddTo(_fires, x.sign());
        AddTo(_tunedFires, y.sign());
        AddTo(_sum, x);
        AddTo(_tunedSum, y);
        AddTo(_squares, x * x);
        AddTo(_tunedSquares, y * y);
        AddTo(_products, x * y);
        _pictures += (int)x.shape[0];
    }

    /// <summary>The features that fire in either.</summary>
    /// <param name="responses">What a printed word adds to each feature in the two models; null without attacks.</param>
    public IReadOnlyList<MovedFeature> Moved((double[] Before, double[] After)? responses) =>
        [
            .. from feature in Enumerable.Range(0, latents)
            let responds = responses is { } both && (both.Before[feature] != 0 || both.After[feature] != 0)
            where _fires[feature] > 0 || _tunedFires[feature] > 0 || responds
            select new MovedFeature(
                feature,
                Share(_fires[feature]),
                Share(_tunedFires[feature]),
                Round(_sum[feature] / Math.Max(1, _pictures)),
                Round(_tunedSum[feature] / Math.Max(1, _pictures)),
                Correlation(feature),
                responses is { } both ? Round(both.Before[feature]) : null,
                responses is { } these ? Round(these.After[feature]) : null
            ),
        ];

    private double? Correlation(int feature)
    {
        double n = _pictures;
        var (x, y) = (
            (n * _squares[feature]) - (_sum[feature] * _sum[feature]),
            (n * _tunedSquares[feature]) - (_tunedSum[feature] * _tunedSum[feature])
        );
        return x > 1e-12 && y > 1e-12
            ? Math.Round(((n * _products[feature]) - (_sum[feature] * _tunedSum[feature])) / Math.Sqrt(x * y), 4)
            : null;
    }

    private double Share(double count) => Math.Round(count / Math.Max(1, _pictures), 4);

    private static double Round(double value) => Math.Round(value, 5);

    private static void AddTo(double[] sums, Tensor rows)
    {
        var added = rows.sum([0]).data<double>().ToArray();
        for (var feature = 0; feature < sums.Length; feature++)
        {
            sums[feature] += added[feature];
        }
    }
}
