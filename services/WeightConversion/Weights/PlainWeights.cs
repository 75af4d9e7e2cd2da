using ClipSae.Clip.Architecture;
using ClipSae.Clip.Checkpoints;
using TorchSharp;

namespace ClipSae.WeightConversion.Weights;

/// <summary>
/// A checkpoint seen as plain weights under OpenAI's keys, whether it holds <c>.weight</c> or the <c>.r</c> and <c>.theta</c> of Geometric
/// Parametrization (science, section 2), one positional embedding of the text tower or Long-CLIP's two. Weights are made one at a time, in
/// float32.
/// </summary>
public sealed class PlainWeights
{
    private readonly ClipCheckpoint _checkpoint;
    private readonly HashSet<string> _held;

    /// <param name="checkpoint">An open checkpoint; it must outlive this object.</param>
    public PlainWeights(ClipCheckpoint checkpoint)
    {
        _checkpoint = checkpoint;
        _held = [.. checkpoint.Keys];
        Shapes = [.. ClipKeys.Shapes(checkpoint.Architecture)];
        GeometricLayers = checkpoint.Keys.Count(key => key.EndsWith(ClipKeys.Theta, StringComparison.Ordinal));
    }

    public ClipArchitecture Architecture => _checkpoint.Architecture;

    /// <summary>Key and shape of every plain weight, in OpenAI's order.</summary>
    public IReadOnlyList<KeyValuePair<string, long[]>> Shapes { get; }

    /// <summary>Linear layers that the file holds as r and θ.</summary>
    public int GeometricLayers { get; }

    /// <summary>Whether the file holds Long-CLIP's two positional embeddings.</summary>
    public bool HasLongPositions => _held.Contains(ClipKeys.StretchedPositions);

    /// <summary>Texts that the file carries next to its tensors.</summary>
    public IReadOnlyDictionary<string, string> Metadata => _checkpoint.Metadata;

    /// <summary>A plain weight, float32, owned by the caller.</summary>
    public torch.Tensor Read(string key)
    {
        using var scope = torch.NewDisposeScope();
        if (key == ClipKeys.Positions && HasLongPositions)
        {
            return LongPositions.Join(Float(key), Float(ClipKeys.StretchedPositions)).MoveToOuterDisposeScope();
        }

        return (_held.Contains(key) ? Float(key) : Materialize(key)).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// One of Long-CLIP's two positional embeddings [context, width] with the rows that are not used, where the file holds both; otherwise
    /// the only one.
    /// </summary>
    /// <param name="key"><see cref="ClipKeys.Positions"/> or <see cref="ClipKeys.StretchedPositions"/>.</param>
    public torch.Tensor ReadPositions(string key)
    {
        using var scope = torch.NewDisposeScope();
        return Float(HasLongPositions ? key : ClipKeys.Positions).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// r [out, 1] and θ [out, in] of a linear layer, as trained where the file holds them, otherwise split from its weight.
    /// </summary>
    /// <param name="layer">Key without ending.</param>
    public (torch.Tensor Radius, torch.Tensor Theta) ReadGeometric(string layer)
    {
        using var scope = torch.NewDisposeScope();
        var (radius, theta) = _held.Contains(layer + ClipKeys.Theta)
            ? (Float(layer + ClipKeys.Radius), Float(layer + ClipKeys.Theta))
            : GeometricParametrization.Split(Float(layer + ClipKeys.Weight));
        return scope.MoveToOuter(radius, theta);
    }

    private torch.Tensor Materialize(string key)
    {
        var layer = key[..^ClipKeys.Weight.Length];
        return GeometricParametrization.Materialize(Float(layer + ClipKeys.Radius), Float(layer + ClipKeys.Theta));
    }

    private torch.Tensor Float(string key) => _checkpoint.Read(key).to(torch.float32);
}
