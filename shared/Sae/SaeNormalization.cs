using ClipSae.Tensors;
using static TorchSharp.torch;

namespace ClipSae.Sae;

/// <summary>
/// What training does to its inputs: <c>x_n = (x − mean)·scale</c>, so that they are centred and their mean-square norm is √d
/// (mean ‖x_n‖² = d). Folded into the biases on export: with the dictionary's rows untouched, activations come out in units of the input.
/// </summary>
public sealed class SaeNormalization(Tensor mean, double scale) : IDisposable
{
    /// <summary>Mean of the inputs [d_in], float32.</summary>
    public Tensor Mean { get; } = mean.DetachFromDisposeScope();

    public double Scale { get; } = scale;

    /// <summary>Measures mean and scale over all the rows given.</summary>
    public static SaeNormalization Measure(IActivationRows data, int chunk = 65536)
    {
        using var scope = NewDisposeScope();
        var sum = zeros(data.Width, float64);
        var squares = zeros(data.Width, float64);
        for (long start = 0; start < data.Rows; start += chunk)
        {
            using var step = NewDisposeScope();
            var rows = data.ReadRange(start, (int)Math.Min(chunk, data.Rows - start)).to(float64);
            sum.AddInPlace(rows.sum([0]));
            squares.AddInPlace(rows.Squared().sum([0]));
        }

        var mean = sum.Over(data.Rows);
        var meanSquareNorm = (squares.Over(data.Rows) - mean.Squared()).sum().item<double>();
        UserErrorException.ThrowIf(
            !double.IsFinite(meanSquareNorm),
            "the activations hold values that are not numbers (NaN or infinite); "
                + "extract them again, in float32 if they were stored in lower precision"
        );

        // Inputs that are all equal have no scale; 1 keeps them finite and the autoencoder reconstructs them by its bias.
        var scale = meanSquareNorm > 1e-20 ? Math.Sqrt(data.Width / meanSquareNorm) : 1;
        return new SaeNormalization(mean.to(float32).MoveToOuterDisposeScope(), scale);
    }

    /// <summary>Normalised inputs [rows, d_in] of raw ones, float32.</summary>
    public Tensor Apply(Tensor x) => (x.to(float32) - Mean).MultiplyInPlace(Scale);

    public void Dispose() => Mean.Dispose();
}
