using ClipSae.Tensors;
using static TorchSharp.torch;

namespace ClipSae.FineTuning.Optimization;

/// <summary>Norms and clipping of gradients as they are, before any scaling.</summary>
public static class Gradients
{
    /// <summary>Euclidean norm of all gradients together, a scalar on the parameters' device (not read back).</summary>
    public static Tensor Norm(IEnumerable<Tensor> gradients)
    {
        using var scope = NewDisposeScope();
        var norms = gradients.Select(g => g.norm()).ToArray();
        return norms.Length == 0 ? tensor(0f).MoveToOuterDisposeScope() : stack(norms).norm().MoveToOuterDisposeScope();
    }

    /// <summary>
    /// What all gradients are multiplied with so that their common norm is at most <paramref name="limit"/>; 1 where it is. A scalar on the
    /// norm's device.
    /// </summary>
    /// <param name="norm">As <see cref="Norm"/> gave it.</param>
    public static Tensor ClipFactor(Tensor norm, double limit)
    {
        using var scope = NewDisposeScope();
        return norm.Plus(1e-6).reciprocal().MultiplyInPlace(limit).AtMost(1).MoveToOuterDisposeScope();
    }
}
