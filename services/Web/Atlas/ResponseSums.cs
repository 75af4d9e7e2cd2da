using static TorchSharp.torch;

namespace ClipSae.Web.Atlas;

/// <summary>What a printed word adds to each feature's activation, summed over attacks, in two models.</summary>
internal sealed class ResponseSums(int latents)
{
    private readonly double[] _before = new double[latents];
    private readonly double[] _after = new double[latents];
    private long _pairs;

    /// <param name="before">Mean activations in the base, [2 · pairs, latents]: the clean pictures, then the attacks.</param>
    /// <param name="after">The same in the tuned model.</param>
    public void Add(Tensor before, Tensor after)
    {
        using var scope = NewDisposeScope();
        Sum(_before, before);
        Sum(_after, after);
        _pairs += before.shape[0] / 2;
    }

    /// <summary>Means over the attacks; null where there was none.</summary>
    public (double[] Before, double[] After)? Means() =>
        _pairs == 0 ? null : ([.. _before.Select(sum => sum / _pairs)], [.. _after.Select(sum => sum / _pairs)]);

    private static void Sum(double[] sums, Tensor latents)
    {
        var pairs = latents.shape[0] / 2;
        var added = (latents.narrow(0, pairs, pairs) - latents.narrow(0, 0, pairs)).to(float64).sum([0]).data<double>().ToArray();
        for (var feature = 0; feature < sums.Length; feature++)
        {
            sums[feature] += added[feature];
        }
    }
}
