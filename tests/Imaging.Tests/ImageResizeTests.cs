using ClipSae.Datasets;
using ClipSae.Imaging.Pixels;
using ClipSae.Imaging.Resizing;

namespace ClipSae.Imaging.Tests;

public class ImageResizeTests
{
    [Theory]
    [InlineData(500, 375, 224)]
    [InlineData(333, 500, 224)]
    [InlineData(95, 95, 224)]
    [InlineData(68, 121, 224)]
    [InlineData(64, 64, 64)]
    [InlineData(1200, 31, 64)]
    [InlineData(7, 900, 32)]
    [InlineData(2000, 1500, 32)]
    [InlineData(1, 1, 64)]
    public void Vector_and_scalar_code_agree_to_the_bit(int width, int height, int resolution)
    {
        var rgb = Noise(width * height * 3);
        var (vectors, scalars) = (new byte[3 * resolution * resolution], new byte[3 * resolution * resolution]);
        var whole = DecodedRegion.Whole(new DecodedImage(width, height, PixelMode.Rgb, rgb));
        ImageResize.Resize(whole, Target(resolution), vectors, vectors: true);
        ImageResize.Resize(whole, Target(resolution), scalars, vectors: false);
        vectors.AsSpan().SequenceEqual(scalars).ShouldBeTrue();
    }

    [Theory]
    [InlineData(500, 375)]
    [InlineData(300, 700)]
    public void The_needed_part_gives_what_the_whole_picture_gives(int width, int height)
    {
        var rgb = Noise(width * height * 3);
        var needed = ImageResize.Needed(width, height, Target(224));
        needed.Width.ShouldBeLessThanOrEqualTo(width);
        ((long)needed.Width * needed.Height).ShouldBeLessThan((long)width * height);
        var part = new byte[needed.Width * needed.Height * 3];
        for (var row = 0; row < needed.Height; row++)
        {
            rgb.AsSpan(((needed.Top + row) * width + needed.Left) * 3, needed.Width * 3).CopyTo(part.AsSpan(row * needed.Width * 3));
        }

        var (fromWhole, fromPart) = (new byte[3 * 224 * 224], new byte[3 * 224 * 224]);
        ImageResize.Resize(new DecodedImage(width, height, PixelMode.Rgb, rgb), Target(224), fromWhole);
        ImageResize.Resize(new DecodedRegion(part, PixelMode.Rgb, needed, width, height), Target(224), fromPart);
        fromPart.AsSpan().SequenceEqual(fromWhole).ShouldBeTrue();
    }

    private static ResizeTarget Target(int resolution) => new(resolution, ImageFit.CentreCrop, ResizeFilter.Bicubic);

    private static byte[] Noise(int length)
    {
        var random = new SeededRandom(1, "noise");
        var noise = new byte[length];
        foreach (ref var value in noise.AsSpan())
        {
            // Mostly the extremes, where the filter overshoots and clipping matters.
            var bits = random.NextBits();
            value = (bits & 3) switch
            {
                0 => 0,
                1 => 255,
                _ => (byte)(bits >> 8),
            };
        }

        return noise;
    }
}
