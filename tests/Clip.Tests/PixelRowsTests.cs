using ClipSae.Clip.Preprocessing;
using ClipSae.Datasets;
using ClipSae.Imaging.Decoding;
using ClipSae.Imaging.Pixels;
using ClipSae.Tensors;
using static TorchSharp.torch;

namespace ClipSae.Clip.Tests;

public sealed class PixelRowsTests
{
    private const int Resolution = 224;

    // A span ends at 2 GiB: 14,267 pictures at 224 pixels. Memory that is not written to takes no room.
    [Fact]
    public void Pictures_beyond_two_gibibytes_are_in_their_rows()
    {
        const int Count = 15_000;
        var picture = Picture();
        var before = Compute.ResidentBytes;
        var rows = new PixelRows(Count, ImagePreparation.OpenAi(Resolution));
        using var pixels = rows.Pixels;
        rows.Set(Count - 1, Imaging.Pixels.DecodedImage.Of(picture));
        rows.Set(0, Imaging.Pixels.DecodedImage.Of(picture));

        (Compute.ResidentBytes - before).ShouldBeLessThan(256L << 20);
        pixels.NumberOfElements.ShouldBeGreaterThan(int.MaxValue);
        using var expected = PixelLoader.Stack([picture], ImagePreparation.OpenAi(Resolution));
        Bytes(pixels, Count - 1).ShouldBe(Bytes(expected, 0));
        Bytes(pixels, 0).ShouldBe(Bytes(expected, 0));
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(2)]
    public void A_row_outside_of_the_tensor_is_refused(int row)
    {
        var rows = new PixelRows(2, ImagePreparation.OpenAi(Resolution));
        using var pixels = rows.Pixels;

        Should.Throw<ArgumentOutOfRangeException>(() => rows.Set(row, Imaging.Pixels.DecodedImage.Of(Picture())));
    }

    [Fact]
    public void Pictures_that_come_one_by_one_are_in_their_rows()
    {
        const int Count = 60;
        var encoded = Enumerable.Range(0, Count).Select(i => PngEncoder.Encode(Picture(i))).ToArray();
        var (even, odd) = (new PixelRows(Count / 2, ImagePreparation.OpenAi(16)), new PixelRows(Count / 2, ImagePreparation.OpenAi(16)));
        using var evenPixels = even.Pixels;
        using var oddPixels = odd.Pixels;
        PixelLoader.Fill(encoded.Select((bytes, i) => (i % 2 == 0 ? even : odd, i / 2, $"{i}", (ReadOnlyMemory<byte>)bytes)));

        using var all = PixelLoader.Load(Count, i => Imaging.Pixels.DecodedImage.Of(Picture(i)), ImagePreparation.OpenAi(16));
        for (var i = 0; i < Count; i++)
        {
            Bytes(i % 2 == 0 ? evenPixels : oddPixels, i / 2).ShouldBe(Bytes(all, i));
        }
    }

    [Fact]
    public void A_picture_that_does_not_decode_is_named_or_handed_to_who_asks_for_such()
    {
        var rows = new PixelRows(1, ImagePreparation.OpenAi(16));
        using var pixels = rows.Pixels;
        byte[] broken = [1, 2, 3];

        Should
            .Throw<Contracts.UserErrorException>(() => PixelLoader.Fill([(rows, 0, "a.png", broken)]))
            .Message.ShouldStartWith("a.png cannot be read: unknown format");
        var told = new List<string>();
        PixelLoader.Fill([(rows, 0, "a.png", broken)], (name, problem) => told.Add($"{name}: {problem}"));
        told.ShouldBe(["a.png: unknown format"]);
    }

    [Fact]
    public void No_pictures_are_no_rows()
    {
        using var none = PixelLoader.Stack([], ImagePreparation.OpenAi(16));

        none.shape.ShouldBe([0, 3, 16, 16]);
    }

    private static byte[] Bytes(Tensor pixels, long row)
    {
        using var scope = NewDisposeScope();
        return [.. pixels[row].contiguous().bytes];
    }

    private static RgbImage Picture(int seed = 0)
    {
        var random = new SeededRandom(seed, "picture");
        var rgb = new byte[3 * 40 * 30];
        for (var i = 0; i < rgb.Length; i++)
        {
            rgb[i] = (byte)random.Next(256);
        }

        return new RgbImage(40, 30, rgb);
    }
}
