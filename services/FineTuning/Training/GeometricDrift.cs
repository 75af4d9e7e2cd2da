using ClipSae.Clip.Model;
using ClipSae.Tensors;
using static TorchSharp.torch;

namespace ClipSae.FineTuning.Training;

/// <summary>
/// How far directions and radii of the Geometric Parametrization have moved from where they started; of an adapted model, how far its
/// weights have.
/// </summary>
public sealed class GeometricDrift : IDisposable
{
    private readonly Dictionary<string, Tensor> _start;

    public GeometricDrift(ClipModel model)
    {
        using var scope = NewDisposeScope();
        _start = Geometric(model).ToDictionary(p => p.Name, p => p.Value.clone().DetachFromDisposeScope(), StringComparer.Ordinal);
    }

    /// <summary>
    /// ‖p − p₀‖/‖p₀‖ over all θ together and over all r together; <see cref="ClipModel.AdapterDrift"/> and 0 for an adapted model.
    /// </summary>
    public (double Theta, double Radius) Measure(ClipModel model)
    {
        if (model.IsAdapted)
        {
            return (model.AdapterDrift(), 0);
        }

        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        double Relative(string suffix)
        {
            double moved = 0,
                size = 0;
            foreach (var (name, value) in Geometric(model).Where(p => p.Name.EndsWith(suffix, StringComparison.Ordinal)))
            {
                moved += (value - _start[name]).Squared().sum().item<float>();
                size += _start[name].Squared().sum().item<float>();
            }

            return size == 0 ? 0 : Math.Sqrt(moved / size);
        }

        return (Relative(".theta"), Relative(".r"));
    }

    public void Dispose()
    {
        foreach (var start in _start.Values)
        {
            start.Dispose();
        }
    }

    private static IEnumerable<(string Name, Tensor Value)> Geometric(ClipModel model) =>
        model
            .StateDict()
            .Where(p => p.Key.EndsWith(".theta", StringComparison.Ordinal) || p.Key.EndsWith(".r", StringComparison.Ordinal))
            .OrderBy(p => p.Key, StringComparer.Ordinal)
            .Select(p => (p.Key, p.Value));
}
