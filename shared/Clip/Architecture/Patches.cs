using TorchSharp;

namespace ClipSae.Clip.Architecture;

/// <summary>
/// CLIP's stem is a convolution whose stride equals its size: one matrix product over cut-out patches, which is quicker here
/// than a convolution, forward and backward.
/// </summary>
internal static class Patches
{
    /// <param name="images">[batch, 3, R, R].</param>
    /// <returns>[batch, grid², 3·patch²], in the order of the convolution's weights.</returns>
    /// <exception cref="ArgumentException">The images have another size than the model takes.</exception>
    public static torch.Tensor Cut(torch.Tensor images, ClipArchitecture a)
    {
        if (images.shape is not [var batch, 3, var height, var width] || height != a.ImageResolution || width != a.ImageResolution)
        {
            throw new ArgumentException(
                $"images are [{string.Join(", ", images.shape)}]; the model takes [batch, 3, {a.ImageResolution}, {a.ImageResolution}]"
            );
        }

        // What no whole patch covers is left out, as a convolution does.
        var covered = a.Grid * a.PatchSize;
        var all = covered == height ? images : images.narrow(2, 0, covered).narrow(3, 0, covered);
        return all.reshape(batch, 3, a.Grid, a.PatchSize, a.Grid, a.PatchSize)
            .permute(0, 2, 4, 1, 3, 5)
            .reshape(batch, a.Grid * a.Grid, 3 * a.PatchSize * a.PatchSize);
    }
}
