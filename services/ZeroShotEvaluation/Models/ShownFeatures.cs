using TorchSharp;

namespace ClipSae.ZeroShotEvaluation.Models;

/// <summary>Features from which the probabilities of a set's images are made when they are wanted: the table itself may be large.</summary>
/// <param name="Images">Unit rows [images, embed].</param>
/// <param name="Candidates">Unit rows [candidates, embed].</param>
/// <param name="Scale">exp(logit_scale), one number.</param>
internal sealed record ShownFeatures(torch.Tensor Images, torch.Tensor Candidates, torch.Tensor Scale) : IDisposable
{
    /// <summary>[images, candidates], float32, rows add up to 1; the caller disposes it.</summary>
    public torch.Tensor Probabilities()
    {
        using var scope = torch.NewDisposeScope();
        return (Images.matmul(Candidates.t()) * Scale).softmax(-1).contiguous().MoveToOuterDisposeScope();
    }

    /// <summary>Probabilities of one image.</summary>
    public float[] Probabilities(int image)
    {
        using var scope = torch.NewDisposeScope();
        return (Images.narrow(0, image, 1).matmul(Candidates.t()) * Scale).softmax(-1).data<float>().ToArray();
    }

    public void Dispose()
    {
        Images.Dispose();
        Candidates.Dispose();
        Scale.Dispose();
    }
}
