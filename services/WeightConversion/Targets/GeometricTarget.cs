using ClipSae.Clip;
using ClipSae.Tensors;
using TorchSharp;

namespace ClipSae.WeightConversion;

/// <summary>Geometric Parametrization, r and θ as trained, in float32 whatever precision is asked for; for going on with the fine-tuning.</summary>
public sealed record GeometricTarget() : ConversionTarget("gmp", "ClipSae and fine-tuning code with Geometric Parametrization, for going on")
{
    public override IReadOnlyList<string> Loadable => ["gmp.safetensors"];

    public override void Write(ConversionMaterial material, string folder) =>
        TensorSink.Safetensors(Path.Combine(folder, Loadable[0]), Layers(material.Weights), material);

    private static IEnumerable<WrittenTensor> Layers(PlainWeights weights)
    {
        var geometric = ClipKeys.GeometricLayers(weights.Architecture).ToHashSet(StringComparer.Ordinal);
        foreach (var (key, shape) in weights.Shapes)
        {
            if (key == ClipKeys.Positions && weights.HasLongPositions)
            {
                foreach (var positions in new[] { key, ClipKeys.StretchedPositions })
                {
                    yield return new WrittenTensor(new TensorLayout(positions, torch.ScalarType.Float32, shape), () => weights.ReadPositions(positions));
                }

                continue;
            }

            var layer = key.EndsWith(ClipKeys.Weight, StringComparison.Ordinal) ? key[..^ClipKeys.Weight.Length] : key;
            if (!geometric.Contains(layer))
            {
                yield return new WrittenTensor(new TensorLayout(key, torch.ScalarType.Float32, shape), () => weights.Read(key));
                continue;
            }

            yield return new WrittenTensor(new TensorLayout(layer + ClipKeys.Radius, torch.ScalarType.Float32, [shape[0], 1]), () => One(weights, layer, isRadius: true));
            yield return new WrittenTensor(new TensorLayout(layer + ClipKeys.Theta, torch.ScalarType.Float32, shape), () => One(weights, layer, isRadius: false));
        }
    }

    private static torch.Tensor One(PlainWeights weights, string layer, bool isRadius)
    {
        using var scope = torch.NewDisposeScope();
        var (radius, theta) = weights.ReadGeometric(layer);
        return (isRadius ? radius : theta).MoveToOuterDisposeScope();
    }
}
