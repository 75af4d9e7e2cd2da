using ClipSae.Clip.Cuda;
using ClipSae.ZeroShotEvaluation.Sets;
using TorchSharp;

namespace ClipSae.ZeroShotEvaluation.Models;

/// <summary>Image embeddings of a set.</summary>
internal static class ImageEmbedder
{
    /// <param name="batches">The images' pixels.</param>
    /// <param name="embedded">Called after each batch with the images it held.</param>
    /// <returns>Unit rows [images, embed], float32, on the CPU; no rows if there is no image.</returns>
    public static torch.Tensor Embed(
        VisionPlan vision,
        IEnumerable<PixelBatch> batches,
        torch.Device device,
        Action<int> embedded,
        CancellationToken cancel
    )
    {
        using var scope = torch.NewDisposeScope();
        var parts = new List<torch.Tensor> { torch.empty([0, vision.Architecture.EmbedDim]) };
        foreach (var batch in batches)
        {
            cancel.ThrowIfCancellationRequested();
            using var step = torch.NewDisposeScope();
            var images = PixelLevels.Normalize(batch, vision.Architecture.Preparation, device);
            parts.Add(torch.nn.functional.normalize(vision.EncodeImage(images).to(torch.float32), 2, -1).cpu().MoveToOuterDisposeScope());
            embedded(batch.Count);
        }

        return torch.cat(parts).MoveToOuterDisposeScope();
    }
}
