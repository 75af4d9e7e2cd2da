using ClipSae.Tensors;
using TorchSharp;

namespace ClipSae.Clip.Architecture;

/// <summary>
/// Geometric Parametrization of a linear layer (science, section 2): <c>W = r · θ/‖θ‖₂</c> by row, so that training moves
/// length and direction of each neuron's weights apart.
/// </summary>
public static class GeometricParametrization
{
    /// <summary>Splits a weight, in float32 whatever its own precision.</summary>
    /// <param name="weight">[out, in].</param>
    /// <returns>r [out, 1] and θ [out, in], float32. A zero row becomes r = 0 with an arbitrary unit θ.</returns>
    public static (torch.Tensor Radius, torch.Tensor Theta) Split(torch.Tensor weight)
    {
        using var scope = torch.NewDisposeScope();
        var full = weight.detach().to(torch.float32);
        var radius = full.norm(1, keepdim: true);
        var nonzero = radius.IsAbove(0);
        if (nonzero.all().item<bool>())
        {
            return scope.MoveToOuter(radius, full / radius);
        }

        var safe = torch.where(nonzero, radius, torch.ones_like(radius));
        var uniform = TensorArithmetic.Constant(full.shape, 1 / Math.Sqrt(full.shape[1]), full.device);
        var theta = torch.where(nonzero, full / safe, uniform);
        return scope.MoveToOuter(radius, theta);
    }

    /// <summary>The weight [out, in] that r [out, 1] and θ [out, in] stand for; differentiable.</summary>
    public static torch.Tensor Materialize(torch.Tensor radius, torch.Tensor theta) => theta * (radius / theta.norm(1, keepdim: true));
}
