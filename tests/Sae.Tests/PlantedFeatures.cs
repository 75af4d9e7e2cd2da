using static TorchSharp.torch;

namespace ClipSae.Sae.Tests;

/// <summary>Rows that are sums of a few directions of a hidden dictionary: data with a known answer.</summary>
internal static class PlantedFeatures
{
    /// <returns>Rows [rows, width] and the directions [directions, width], unit length.</returns>
    public static (Tensor Rows, Tensor Directions) Draw(int rows, int width, int directions, int active, long seed)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator((ulong)seed, CPU);
        var dictionary = randn(directions, width, generator: generator);
        dictionary.div_(dictionary.norm(1, true, 2));
        var chosen = rand(rows, directions, generator: generator).topk(active, 1).indexes;
        var strengths = rand(rows, active, generator: generator) + 0.5;
        var codes = zeros(rows, directions).scatter_(1, chosen, strengths);
        return (codes.matmul(dictionary).MoveToOuterDisposeScope(), dictionary.MoveToOuterDisposeScope());
    }
}
