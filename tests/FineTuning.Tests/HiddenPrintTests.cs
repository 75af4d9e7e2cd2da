using ClipSae.FineTuning.Data;
using static TorchSharp.torch;

namespace ClipSae.FineTuning.Tests;

public sealed class HiddenPrintTests
{
    private const int Patch = 4;
    private const int Side = 16;

    [Fact]
    public void Hidden_patches_get_the_colours_around_them_and_all_else_stays()
    {
        using var pixels = Scene();
        using var before = pixels.clone();

        new HiddenPrint(Patch, new Dictionary<string, IReadOnlyList<int>> { ["dog"] = [5, 6] }).Paint(pixels, ["cat", "dog"], default);

        pixels[0].data<byte>().ToArray().ShouldBe(before[0].data<byte>().ToArray());
        pixels[1, TensorIndex.Colon, 4..8, 4..12].data<byte>().ToArray().ShouldAllBe(value => value == 90);
        pixels[1, TensorIndex.Colon, 4..8, 4..12] = before[1, TensorIndex.Colon, 4..8, 4..12];
        pixels.data<byte>().ToArray().ShouldBe(before.data<byte>().ToArray());
    }

    // Where everything about a patch is hidden too, its colour comes from farther away.
    [Fact]
    public void A_large_hole_is_filled_from_its_edges()
    {
        using var pixels = Scene();

        new HiddenPrint(Patch, new Dictionary<string, IReadOnlyList<int>> { ["dog"] = [.. Enumerable.Range(0, 12)] }).Paint(
            pixels,
            ["cat", "dog"],
            default
        );

        pixels[1].data<byte>().ToArray().ShouldAllBe(value => value == 90);
    }

    [Fact]
    public void A_patch_that_is_not_there_is_refused()
    {
        using var pixels = Scene();

        Should
            .Throw<UserErrorException>(() =>
                new HiddenPrint(Patch, new Dictionary<string, IReadOnlyList<int>> { ["dog"] = [16] }).Paint(pixels, ["cat", "dog"], default)
            )
            .Message.ShouldBe(
                "fine-tuning: patch 16 of dog is to be hidden, but the model's images have 16; curate the attacks again with this model"
            );
    }

    // Two grey pictures with white print in the middle.
    private static Tensor Scene()
    {
        var pixels = full([2, 3, Side, Side], (byte)90, ScalarType.Byte);
        pixels[TensorIndex.Colon, TensorIndex.Colon, 5..7, 5..11] = (byte)255;
        return pixels;
    }
}
