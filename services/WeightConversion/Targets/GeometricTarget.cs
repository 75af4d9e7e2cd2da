using ClipSae.Clip.Architecture;
using ClipSae.Tensors;
using ClipSae.WeightConversion.Weights;
using TorchSharp;

namespace ClipSae.WeightConversion.Targets;

/// <summary>Geometric Parametrization, r and θ as trained, in float32; for continuing with the fine-tuning.</summary>
public sealed record GeometricTarget()
    : ConversionTarget("gmp", "ClipSae and fine-tuning code with Geometric Parametrization, for going on")
{
    public override bool IsFloat32Alone => true;

    public override bool IsOf(ClipFamily family) => true;

    public override IReadOnlyList<string> Loadable => ["gmp.safetensors"];

    public override void Write(ConversionMaterial material, string folder) =>
        TensorSink.Safetensors(Path.Combine(folder, Loadable[0]), Layers(material.Weights), material);

    private static IEnumerable<WrittenTensor> Layers(PlainWeights weights)
    {
        var geometric = ClipKeys.GeometricLayers(weights.Architecture).ToHashSet(StringComparer.Ordinal);
        var split = new SplitLayer(weights);
        foreach (var (key, shape) in weights.Shapes)
        {
            if (key == ClipKeys.Positions && weights.HasLongPositions)
            {
                foreach (var positions in new[] { key, ClipKeys.StretchedPositions })
                {
                    yield return new WrittenTensor(new TensorLayout(positions, torch.ScalarType.Float32, shape), () =>
                        weights.ReadPositions(positions)
                    );
                }

                continue;
            }

            var layer = key.EndsWith(ClipKeys.Weight, StringComparison.Ordinal) ? key[..^ClipKeys.Weight.Length] : key;
            if (!geometric.Contains(layer))
            {
                yield return new WrittenTensor(new TensorLayout(key, torch.ScalarType.Float32, shape), () => weights.Read(key));
                continue;
            }

            yield return new WrittenTensor(new TensorLayout(layer + ClipKeys.Radius, torch.ScalarType.Float32, [shape[0], 1]), () =>
                split.Radius(layer)
            );
            yield return new WrittenTensor(new TensorLayout(layer + ClipKeys.Theta, torch.ScalarType.Float32, shape), () =>
                split.Theta(layer)
            );
        }
    }

    // The writer asks for r and, right after it, for θ of the same layer (their names follow one another); a layer is read and split once
    // for both.
    private sealed class SplitLayer(PlainWeights weights)
    {
        private (string Layer, torch.Tensor Theta)? _waiting;

        public torch.Tensor Radius(string layer)
        {
            _waiting?.Theta.Dispose();
            var (radius, theta) = weights.ReadGeometric(layer);
            _waiting = (layer, theta.DetachFromDisposeScope());
            return radius;
        }

        public torch.Tensor Theta(string layer)
        {
            if (_waiting is { } split && split.Layer == layer)
            {
                _waiting = null;
                return split.Theta;
            }

            var (radius, theta) = weights.ReadGeometric(layer);
            radius.Dispose();
            return theta;
        }
    }
}
