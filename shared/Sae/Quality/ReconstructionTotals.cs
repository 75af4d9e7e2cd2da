using ClipSae.Sae.Encoding;
using ClipSae.Tensors;
using static TorchSharp.torch;

namespace ClipSae.Sae.Quality;

/// <summary>Sums over rows from which the figures of the reconstruction follow. Sums are taken about b_dec, near the mean, so that nothing cancels.</summary>
internal sealed class ReconstructionTotals(SparseAutoencoder sae)
{
    private readonly Tensor inputSum = zeros(sae.InputWidth, float64);
    private readonly Tensor residualSum = zeros(sae.InputWidth, float64);
    private readonly Tensor fired = zeros(sae.Latents, float64);
    private readonly Tensor activation = zeros(sae.Latents, float64);
    private double rows;
    private double inputSquares;
    private double residualSquares;
    private double cosines;

    /// <param name="x">[rows, d_in].</param>
    /// <param name="latents">After selection [rows, d_sae].</param>
    public void Add(Tensor x, Tensor latents)
    {
        var back = sae.Decode(latents);
        var (centred, residual) = ((x - sae.DecoderBias).to(float64), (x - back).to(float64));
        rows += x.shape[0];
        inputSum.AddInPlace(centred.sum([0]));
        residualSum.AddInPlace(residual.sum([0]));
        inputSquares += centred.Squared().sum().item<double>();
        residualSquares += residual.Squared().sum().item<double>();
        cosines += nn.functional.cosine_similarity(x, back, 1).to(float64).sum().item<double>();
        fired.AddInPlace(latents.IsAbove(0).to(float64).sum([0]));
        activation.AddInPlace(latents.to(float64).sum([0]));
    }

    public double Fvu() => residualSquares / Variance(inputSquares, inputSum);

    public double ExplainedVariance() => 1 - (Variance(residualSquares, residualSum) / Variance(inputSquares, inputSum));

    public double Cosine() => cosines / rows;

    public double[] Density() => fired.Over(rows).data<double>().ToArray();

    public double[] MeanActivation() => (activation / fired.AtLeast(1)).data<double>().ToArray();

    private double Variance(double squares, Tensor sum) => Math.Max(1e-30, squares - (sum.Squared().sum().item<double>() / rows));
}
