using ClipSae.Clip.Model;
using static TorchSharp.torch;

namespace ClipSae.FineTuning.Validation;

/// <summary>
/// Models between a base and what was tuned from it (WiSE-FT, arXiv 2109.01903). r and θ are not linear in a weight, so it is weights that
/// are mixed.
/// </summary>
public sealed class WeightBlend : IDisposable
{
    private readonly ClipModel _base;
    private readonly ClipModel _tuned;

    /// <param name="baseFile">The base's checkpoint.</param>
    /// <param name="tunedFile">The tuned one's, of the same sizes.</param>
    public WeightBlend(string baseFile, string tunedFile, Device device) =>
        (_base, _tuned) = (ClipModel.Load(baseFile, device), ClipModel.Load(tunedFile, device));

    /// <summary>(1 − α)·base + α·tuned, with plain weights.</summary>
    /// <param name="alpha">0 is the base, 1 the tuned model.</param>
    /// <exception cref="UserErrorException">The two are not of one shape.</exception>
    public ClipModel At(double alpha)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        var (from, to) = (Weights(_base), Weights(_tuned));
        return ClipModel.FromStateDict(
            to.ToDictionary(
                weight => weight.Key,
                weight =>
                    from.TryGetValue(weight.Key, out var start)
                        ? lerp(start, weight.Value, tensor((float)alpha, device: start.device))
                        : weight.Value,
                StringComparer.Ordinal
            ),
            like: _tuned.Architecture
        );
    }

    public void Dispose()
    {
        _base.Dispose();
        _tuned.Dispose();
    }

    // Both positional embeddings of a Long-CLIP stay apart; of Geometric Parametrization the weights are made.
    private static Dictionary<string, Tensor> Weights(ClipModel model)
    {
        var plain = model.PlainStateDict();
        var own = model.StateDict();
        return own.Where(weight => !IsGeometric(weight.Key))
            .Concat(plain.Where(weight => !own.ContainsKey(weight.Key)))
            .ToDictionary(weight => weight.Key, weight => weight.Value, StringComparer.Ordinal);
    }

    private static bool IsGeometric(string key) =>
        key.EndsWith(".theta", StringComparison.Ordinal) || key.EndsWith(".r", StringComparison.Ordinal);
}
