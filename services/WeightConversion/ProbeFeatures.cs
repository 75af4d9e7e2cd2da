using ClipSae.Clip;
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
        using var scope = torch.NewDisposeScope();
        using var inference = torch.no_grad();
        using var model = ClipModel.Load(checkpoint);
        var (image, text) = (model.EncodeImage(probes.Images), model.EncodeText(probes.Tokens));
        return new ProbeFeatures(image.MoveToOuterDisposeScope(), text.MoveToOuterDisposeScope());
    }
}
