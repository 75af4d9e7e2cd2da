using ClipSae.Clip.Checkpoints;
using ClipSae.Clip.Model;
using ClipSae.Tensors;
using TorchSharp;

namespace ClipSae.WeightConversion.Proofs;

/// <summary>What a model gives for the probes, not normalised.</summary>
/// <param name="Image">[images, embed].</param>
/// <param name="Text">[texts, embed].</param>
internal sealed record ProbeFeatures(torch.Tensor Image, torch.Tensor Text)
{
    /// <summary>Loads a checkpoint and runs it; its weights are freed before this returns.</summary>
    public static ProbeFeatures Of(ClipCheckpoint checkpoint, Probes probes)
    {
        using var inference = torch.no_grad();
        // Models are loaded one after the other, so that one at a time is in memory, without holes that others left.
        NativeHeap.Trim();
        using var model = ClipModel.Load(checkpoint);
        // It is no part of plain weights and goes into a file of its own.
        model.DetachNullToken();
        return new ProbeFeatures(
            Each(probes.Images, image => model.EncodeImage(image)),
            Each(probes.Tokens, tokens => model.EncodeText(tokens))
        );
    }

    // One at a time: what a batch of images has in memory between two layers would come on top of the model.
    private static torch.Tensor Each(torch.Tensor inputs, Func<torch.Tensor, torch.Tensor> encode)
    {
        using var scope = torch.NewDisposeScope();
        return torch.cat([.. inputs.split(1).Select(encode)], 0).MoveToOuterDisposeScope();
    }
}
