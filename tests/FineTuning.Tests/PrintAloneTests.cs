using ClipSae.FineTuning.Data;
using static TorchSharp.torch;

namespace ClipSae.FineTuning.Tests;

public sealed class PrintAloneTests
{
    [Fact]
    public void What_differs_from_the_picture_is_print_and_stands_on_grey()
    {
        using var scope = NewDisposeScope();
        var source = full([1, 3, 4, 4], 100, dtype: ScalarType.Byte);
        var attack = source.clone();
        attack[0, 1, 2, 3] = tensor((byte)200); // One channel is enough.
        attack[0, 0, 0, 0] = tensor((byte)110); // What compression or resizing leaves is none.

        var mask = PrintAlone.Mask(attack, source);
        var alone = PrintAlone.Of(attack, source, Clip.Preprocessing.PixelNormalization.OpenAi);

        mask.shape.ShouldBe([1L, 1, 4, 4]);
        mask.sum().item<float>().ShouldBe(1);
        mask[0, 0, 2, 3].item<float>().ShouldBe(1);
        Pixel(alone, 2, 3).ShouldBe([100, 200, 100]);
        Pixel(alone, 0, 0).ShouldBe([123, 117, 104]);
    }

    private static byte[] Pixel(Tensor pictures, int row, int column) =>
        [.. Enumerable.Range(0, 3).Select(channel => pictures[0, channel, row, column].item<byte>())];
}
