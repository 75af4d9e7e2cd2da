using ClipSae.Clip;
using TorchSharp;

namespace ClipSae.ZeroShotEvaluation;

/// <summary>Image embeddings of a set's images from their stored pixels.</summary>
internal static class ImageEmbedder
{
    /// <param name="embedded">Called after each batch with the images it held.</param>
    /// <returns>Unit rows [images, embed], float32, on the CPU.</returns>
    public static torch.Tensor Embed(
        VisionPlan vision, PixelStore pixels, int[] rows, int batchSize, torch.Device device, Action<int> embedded, CancellationToken cancel)
    {
        using var scope = torch.NewDisposeScope();
        var resolution = vision.Architecture.ImageResolution;
        var parts = new List<torch.Tensor>();
        foreach (var batch in rows.Chunk(batchSize))
        {
            cancel.ThrowIfCancellationRequested();
            using var step = torch.NewDisposeScope();
            var levels = new byte[batch.Length * pixels.ImageBytes];
            pixels.Read(batch, levels);
            var images = PixelLevels.Normalize(levels, batch.Length, resolution, device);
            parts.Add(ClassTexts.Unit(vision.EncodeImage(images).to(torch.float32)).cpu().MoveToOuterDisposeScope());
            embedded(batch.Length);
        }

        return torch.cat(parts).MoveToOuterDisposeScope();
    }
}
