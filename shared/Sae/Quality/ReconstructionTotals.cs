using ClipSae.Sae.Encoding;
using ClipSae.Tensors;
using static TorchSharp.torch;

namespace ClipSae.Sae.Quality;

/// <summary>
/// Sums over rows from which the metrics of the reconstruction follow. Sums are taken about b_dec, near the mean, so that nothing cancels.
/// </summary>
internal sealed class ReconstructionTotals(SparseAutoencoder sae)
{
    private readonly Tensor _inputSum = zeros(sae.InputWidth, float64);
    private readonly Tensor _residualSum = zeros(sae.InputWidth, float64);
    private readonly Tensor _fired = zeros(sae.Latents, float64);
    private readonly Tensor _activation = zeros(sae.Latents, float64);
    private double _rows;
    private double _inputSquares;
    private double _residualSquares;
    private double _cosines;

    /// <param name="x">[rows, d_in].</param>
    /// <param name="latents">After selection [rows, d_sae].</param>
    public void Add(Tensor x, Tensor latents)
    {
        var back = sae.Decode(latents);
        var (centred, residual) = ((x - sae.DecoderBias).to(float64), (x - back).to(float64));
        _rows += x.shape[0];
        _inputSum.AddInPlace(centred.sum([0]));
        _residualSum.AddInPlace(residual.sum([0]));
        _inputSquares += centred.Squared().sum().item<double>();
        _residualSquares += residual.Squared().sum().item<double>();
        _cosines += nn.functional.cosine_similarity(x, back, 1).to(float64).sum().item<double>();
        _fired.AddInPlace(latents.IsAbove(0).to(float64).sum([0]));
        _activation.AddInPlace(latents.to(float64).sum([0]));
    }

    public double Fvu() => _residualSquares / Variance(_inputSquares, _inputSum);

    public double ExplainedVariance() => 1 - (Variance(_residualSquares, _residualSum) / Variance(_inputSquares, _inputSum));

    public double Cosine() => _cosines / _rows;

    public double[] Density() => _fired.Over(_rows).data<double>().ToArray();

    public double[] MeanActivation() => (_activation / _fired.AtLeast(1)).data<double>().ToArray();

    private double Variance(double squares, Tensor sum) => Math.Max(1e-30, squares - (sum.Squared().sum().item<double>() / _rows));
}
