using ClipSae.Clip;
using ClipSae.Tensors;
using TorchSharp;

namespace ClipSae.WeightConversion;

/// <summary>What a model gives for the probes, not normalised.</summary>
/// <param name="Image">[images, embed].</param>
/// <param name="Text">[texts, embed].</param>
internal sealed record ProbeFeatures(torch.Tensor Image, torch.Tensor Text)
{
    /// <summary>Loads a checkpoint and runs it; its weights are freed before this returns.</summary>
    public static ProbeFeatures Of(ClipCheckpoint checkpoint, Probes probes)
    {
        using var inference = torch.no_grad();
        torch.Tensor image, text;
        using (var model = ClipModel.Load(checkpoint))
        {
            (image, text) = (model.EncodeImage(probes.Images), model.EncodeText(probes.Tokens));
        }

        // Models are loaded one after the other, so that one at a time is in memory.
        NativeHeap.Trim();
        return new ProbeFeatures(image, text);
    }
}
