using ClipSae.Tensors;
using TorchSharp;

namespace ClipSae.Clip.Architecture;

/// <summary>
/// Random starting weights as in OpenAI's <c>initialize_parameters</c> (clip/model.py), whose recipe for the text tower's
/// blocks is used for both towers. Every draw comes from one generator, key after key, so a seed fixes the model.
/// </summary>
internal static class ClipInitialization
{
    /// <summary>ln(1/0.07), CLIP paper section 2.5.</summary>
    private static readonly double InitialLogitScale = Math.Log(1 / 0.07);

    /// <summary>ln 10 and −10, SigLIP paper section 3.2: at the start almost all pairs are no match.</summary>
    private const double InitialPairBias = -10;

    private static readonly double InitialPairScale = Math.Log(10);

    public static Dictionary<string, torch.Tensor> Draw(ClipArchitecture a, long seed, PositionInitialization positions)
    {
        using var _ = torch.no_grad();
        using var generator = new torch.Generator((ulong)seed, torch.CPU);
        var weights = new Dictionary<string, torch.Tensor>(StringComparer.Ordinal);
        foreach (var (key, shape) in ClipKeys.Shapes(a))
        {
            weights[key] =
                key == "visual.positional_embedding" && positions is PositionInitialization.SinCos sinCos
                    ? SinCos(a, sinCos.Scale)
                    : Draw(a, key, shape, generator);
        }

        return weights;
    }

    private static torch.Tensor Draw(ClipArchitecture a, string key, long[] shape, torch.Generator generator)
    {
        if (key is ClipKeys.LogitScale or ClipKeys.LogitBias)
        {
            return torch.tensor(
                (float)(
                    key == ClipKeys.LogitBias ? InitialPairBias
                    : a.Family.IsPairwise ? InitialPairScale
                    : InitialLogitScale
                )
            );
        }

        if (key.EndsWith("bias", StringComparison.Ordinal))
        {
            return torch.zeros(shape);
        }

        if (key.Contains(".ln_", StringComparison.Ordinal) || key.StartsWith("ln_", StringComparison.Ordinal))
        {
            return torch.ones(shape);
        }

        return torch.randn(shape, generator: generator).MultiplyInPlace(StandardDeviation(a, key));
    }

    private static double StandardDeviation(ClipArchitecture a, string key)
    {
        var (width, layers) = key.StartsWith("visual.", StringComparison.Ordinal)
            ? (a.VisionWidth, a.VisionLayers)
            : (a.TextWidth, a.TextLayers);
        var perInput = Math.Pow(width, -0.5);
        return key switch
        {
            "token_embedding.weight" => 0.02,
            "positional_embedding" => 0.01,
            // torch's default for a convolution is uniform in ±1/√fan_in, whose deviation is this.
            "visual.conv1.weight" => 1 / Math.Sqrt(3.0 * 3 * a.PatchSize * a.PatchSize),
            _ when key.EndsWith("out_proj.weight", StringComparison.Ordinal) || key.EndsWith("c_proj.weight", StringComparison.Ordinal) =>
                perInput * Math.Pow(2 * layers, -0.5),
            _ when key.EndsWith("c_fc.weight", StringComparison.Ordinal) => Math.Pow(2 * width, -0.5),
            _ => perInput,
        };
    }

    private static torch.Tensor SinCos(ClipArchitecture a, double scale)
    {
        using var scope = torch.NewDisposeScope();
        var quarter = a.VisionWidth / 4;
        var frequencies = torch.pow(torch.tensor(10000.0), TensorArithmetic.Range(quarter, torch.float64).Over(-quarter));
        var angles = torch.outer(TensorArithmetic.Range(a.Grid, torch.float64), frequencies);
        var line = torch.cat([angles.sin(), angles.cos()], 1);
        var columns = line.unsqueeze(0).expand(a.Grid, a.Grid, -1);
        var rows = line.unsqueeze(1).expand(a.Grid, a.Grid, -1);
        var table = torch.zeros([a.VisionTokens, a.VisionWidth]);
        table
            .narrow(0, a.ClassTokens, a.VisionTokens - a.ClassTokens)
            .narrow(1, 0, 4 * quarter)
            .copy_(torch.cat([columns, rows], 2).reshape(-1, 4 * quarter).Times(scale));
        return table.MoveToOuterDisposeScope();
    }
}
