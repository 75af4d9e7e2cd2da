using ClipSae.Tensors;
using static TorchSharp.torch;

namespace ClipSae.FineTuning.Data;

/// <summary>
/// Paints over what is printed on pictures, so that no caption can be learned from it: the patches get the colours around them, smoothly,
/// from the seen patches nearest to them.
/// </summary>
/// <param name="patch">Side of a patch, pixels.</param>
/// <param name="patches">The patches that are hidden, row by row from the top left, by the picture's id.</param>
public sealed class HiddenPrint(int patch, IReadOnlyDictionary<string, IReadOnlyList<int>> patches)
{
    private const int Batch = 128;

    /// <summary>Rounds in which colours that were carried in from the edges even out.</summary>
    private const int Smoothing = 8;

    /// <summary>Paints the pictures in place.</summary>
    /// <param name="pixels">uint8 [pictures, 3, R, R].</param>
    /// <param name="ids">One a picture.</param>
    /// <exception cref="UserErrorException">A patch is outside its picture.</exception>
    public void Paint(Tensor pixels, IReadOnlyList<string> ids, CancellationToken cancel)
    {
        var grid = (int)pixels.shape[2] / patch;
        var rows = Enumerable.Range(0, ids.Count).Where(row => patches.ContainsKey(ids[row])).ToArray();
        foreach (var batch in rows.Chunk(Batch))
        {
            cancel.ThrowIfCancellationRequested();
            using var noGrad = no_grad();
            using var scope = NewDisposeScope();
            var index = tensor(batch.Select(row => (long)row).ToArray());
            var pictures = pixels.index_select(0, index).to(ScalarType.Float32);
            var seen = AlignedTensor.Of(Seen(batch, ids, grid), batch.Length, 1, grid, grid);
            var colours = nn.functional.interpolate(
                Colours(pictures, seen, grid),
                [pictures.shape[2], pictures.shape[3]],
                mode: InterpolationMode.Bilinear,
                align_corners: false
            );
            var mask = nn.functional.interpolate(seen, [pictures.shape[2], pictures.shape[3]], mode: InterpolationMode.Nearest);
            pixels.index_copy_(0, index, lerp(colours, pictures, mask).round().AtLeast(0).AtMost(255).to(ScalarType.Byte));
        }
    }

    private float[] Seen(int[] batch, IReadOnlyList<string> ids, int grid)
    {
        var seen = Enumerable.Repeat(1f, batch.Length * grid * grid).ToArray();
        foreach (var (row, place) in batch.Select((row, place) => (row, place)))
        {
            foreach (var hidden in patches[ids[row]])
            {
                UserErrorException.ThrowIf(
                    hidden < 0 || hidden >= grid * grid,
                    $"fine-tuning: patch {hidden} of {ids[row]} is to be hidden, but the model's images have {grid * grid}; "
                        + $"curate the attacks again with this model"
                );

                seen[(place * grid * grid) + hidden] = 0;
            }
        }

        return seen;
    }

    /// <summary>A colour for every patch, [pictures, 3, grid, grid]: its own mean where it is seen.</summary>
    private Tensor Colours(Tensor pictures, Tensor seen, int grid)
    {
        var own = nn.functional.avg_pool2d(pictures, patch, patch);
        var (known, colours) = (seen, own * seen);
        for (var round = 0; round < grid; round++)
        {
            var weight = nn.functional.avg_pool2d(known, 3, 1, 1);
            var carried = nn.functional.avg_pool2d(colours, 3, 1, 1) / weight.AtLeast(1e-6);
            colours = lerp(carried * weight.IsAbove(0).to(ScalarType.Float32), colours, known);
            known = weight.IsAbove(0).to(ScalarType.Float32);
        }

        for (var round = 0; round < Smoothing; round++)
        {
            colours = lerp(nn.functional.avg_pool2d(colours, 3, 1, 1, count_include_pad: false), own, seen);
        }

        return colours;
    }
}
