using ClipSae.Clip.Architecture;
using ClipSae.WeightConversion.Weights;
using TorchSharp;

namespace ClipSae.WeightConversion.Targets;

/// <summary>Long-CLIP's state dict: OpenAI's keys and both positional embeddings, as trained where the source has them.</summary>
public sealed record LongClipTarget() : ConversionTarget("long-clip", "Long-CLIP's own code (models with a longer context only)")
{
    public override IReadOnlyList<string> Loadable => ["longclip.pt"];

    public override void Write(ConversionMaterial material, string folder)
    {
        UserErrorException.ThrowIf(
            material.Architecture.ContextLength <= 77,
            $"format {Name} is for models with a longer context; this one has {material.Architecture.ContextLength} tokens: "
                + $"stretch it first with 'clipsae stretch'"
        );

        var tensors = material.OpenAi().ToList();
        var merged = tensors.FindIndex(tensor => tensor.Layout.Name == ClipKeys.Positions);
        var layout = tensors[merged].Layout;
        tensors.RemoveAt(merged);
        tensors.InsertRange(
            merged,
            new[] { ClipKeys.Positions, ClipKeys.StretchedPositions }.Select(key => new WrittenTensor(layout with { Name = key }, () =>
                Embedding(material, key, layout.Type)
            ))
        );
        TensorSink.Torch(Path.Combine(folder, Loadable[0]), tensors, material);
    }

    private static torch.Tensor Embedding(ConversionMaterial material, string key, torch.ScalarType type)
    {
        using var scope = torch.NewDisposeScope();
        return ConversionMaterial.Narrowed(material.Weights.ReadPositions(key), key, type).MoveToOuterDisposeScope();
    }
}
