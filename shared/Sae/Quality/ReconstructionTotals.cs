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
        inputSum.add_(centred.sum([0]));
        residualSum.add_(residual.sum([0]));
        inputSquares += centred.square().sum().item<double>();
        residualSquares += residual.square().sum().item<double>();
        cosines += nn.functional.cosine_similarity(x, back, 1).to(float64).sum().item<double>();
        fired.add_((latents > 0).to(float64).sum([0]));
        activation.add_(latents.to(float64).sum([0]));
    }

    public double Fvu() => residualSquares / Variance(inputSquares, inputSum);

    public double ExplainedVariance() => 1 - (Variance(residualSquares, residualSum) / Variance(inputSquares, inputSum));

    public double Cosine() => cosines / rows;

    public double[] Density() => (fired / rows).data<double>().ToArray();

    public double[] MeanActivation() => (activation / fired.clamp_min(1)).data<double>().ToArray();

    private double Variance(double squares, Tensor sum) => Math.Max(1e-30, squares - (sum.square().sum().item<double>() / rows));
}
