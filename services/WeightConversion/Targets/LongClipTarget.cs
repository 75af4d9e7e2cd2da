using ClipSae.Contracts;
using ClipSae.Tensors;

namespace ClipSae.WeightConversion;

/// <summary>Long-CLIP's state dict: OpenAI's keys and a second positional embedding, of which it takes the rows from 20 on.</summary>
public sealed record LongClipTarget() : ConversionTarget("long-clip", "Long-CLIP's own code (models with a longer context only)")
{
    private const string Positions = "positional_embedding";

    public override IReadOnlyList<string> Loadable => ["longclip.pt"];

    public override void Write(ConversionMaterial material, string folder)
    {
        if (material.Architecture.ContextLength <= 77)
        {
            throw new UserErrorException($"format {Name} is for models with a longer context; this one takes {material.Architecture.ContextLength} tokens: stretch it first with 'clipsae stretch'");
        }

        var tensors = material.OpenAi().ToList();
        var positions = tensors.Single(tensor => tensor.Layout.Name == Positions);
        tensors.Add(new WrittenTensor(new TensorLayout(Positions + "_res", positions.Layout.Type, positions.Layout.Shape), positions.Make));
        TensorSink.Torch(Path.Combine(folder, Loadable[0]), tensors, material);
    }
}
