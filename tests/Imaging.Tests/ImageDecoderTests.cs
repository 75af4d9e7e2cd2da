using ClipSae.Datasets;
using ClipSae.Imaging.Decoding;
using ClipSae.Imaging.Jpeg;
using ClipSae.Imaging.Pixels;

namespace ClipSae.Imaging.Tests;

public class ImageDecoderTests
{
    private static readonly string Folder = Path.Combine(AppContext.BaseDirectory, "Reference");

    /// <summary>
    /// JPEG files written by Pillow 9.4 and cjpeg (libjpeg-turbo 2.1.5), with what Pillow's <c>convert("RGB")</c> reads from them.
    /// </summary>
    [Theory]
    [InlineData("full")]
    [InlineData("half")]
    [InlineData("quarter")]
    [InlineData("quarter-optimized")]
    [InlineData("coarse")]
    [InlineData("grey")]
    [InlineData("exact")]
    [InlineData("photo-like")]
    [InlineData("restarts")]
    [InlineData("oriented")]
    public void Baseline_JPEG_is_decoded_to_Pillows_very_values(string name)
    {
        var encoded = Read(name + ".jpg");
        var expected = Expected(name + ".png");
        var decoder = new RegionDecoder();
        JpegFrame.Parse(encoded).ShouldNotBeNull();
        decoder.TryDecode(encoded, (width, height) => new ImageRegion(0, 0, width, height), out var region, out _).ShouldBeTrue();
        region.Pixels.SequenceEqual(expected.Rgb).ShouldBeTrue();
        ImageDecoder.Decode(encoded).Rgb.AsSpan().SequenceEqual(expected.Rgb).ShouldBeTrue();
    }

    [Theory]
    [InlineData("progressive")]
    [InlineData("tiny")]
    public void Rarer_JPEG_goes_to_the_general_decoder_and_differs_by_rounding_at_most(string name)
    {
        var actual = ImageDecoder.Decode(Read(name + ".jpg"));
        actual.Rgb.Zip(Expected(name + ".png").Rgb).Max(pair => Math.Abs(pair.First - pair.Second)).ShouldBeLessThanOrEqualTo(1);
    }

    [Theory]
    [InlineData("full")]
    [InlineData("half")]
    [InlineData("quarter")]
    [InlineData("restarts")]
    [InlineData("grey")]
    public void Any_region_has_the_pixels_of_the_whole(string name)
    {
        var encoded = Read(name + ".jpg");
        var whole = Expected(name + ".png");
        var decoder = new RegionDecoder();
        var random = new SeededRandom(1, name);
        for (var trial = 0; trial < 60; trial++)
        {
            var (left, top) = (random.Next(whole.Width), random.Next(whole.Height));
            var part = new ImageRegion(left, top, random.Next(1, whole.Width - left), random.Next(1, whole.Height - top));
            decoder.TryDecode(encoded, (_, _) => part, out var region, out _).ShouldBeTrue();
            region.Region.ShouldBe(part);
            for (var row = 0; row < part.Height; row++)
            {
                region
                    .Pixels.Slice(row * part.Width * 3, part.Width * 3)
                    .SequenceEqual(whole.Rgb.AsSpan(((part.Top + row) * whole.Width + part.Left) * 3, part.Width * 3))
                    .ShouldBeTrue();
            }
        }
    }

    [Theory]
    [InlineData("full")]
    [InlineData("quarter-optimized")]
    [InlineData("restarts")]
    [InlineData("progressive")]
    public void Damaged_JPEG_is_decoded_or_refused_and_harms_nothing(string name)
    {
        var sound = Read(name + ".jpg");
        var random = new SeededRandom(2, name);
        var decoder = new RegionDecoder(new DecodeLimits { MaxSide = 2000, MaxPixels = 1_000_000 });
        for (var trial = 0; trial < 400; trial++)
        {
            var damaged = sound.AsSpan(0, random.Next(4) == 0 ? random.Next(sound.Length) : sound.Length).ToArray();
            for (var flips = random.Next(1, 6); flips > 0 && damaged.Length > 0; flips--)
            {
                damaged[random.Next(random.Next(2) == 0 ? Math.Min(damaged.Length, 700) : damaged.Length)] = (byte)random.NextBits();
            }

            var decoded = decoder.TryDecode(damaged, (width, height) => new ImageRegion(0, 0, width, height), out _, out var problem);
            (decoded || problem is { Length: > 0 }).ShouldBeTrue();
        }
    }

    [Theory]
    [InlineData("cmyk.jpg")]
    [InlineData("alpha.png")]
    [InlineData("palette.png")]
    [InlineData("deep.png")]
    [InlineData("p-interlaced.gif")]
    [InlineData("p.bmp")]
    public void Damaged_files_of_other_modes_are_decoded_or_refused_and_harm_nothing(string name)
    {
        var sound = Read(name);
        var random = new SeededRandom(3, name);
        var limits = new DecodeLimits { MaxSide = 2000, MaxPixels = 1_000_000 };
        for (var trial = 0; trial < 400; trial++)
        {
            var damaged = sound.AsSpan(0, random.Next(4) == 0 ? random.Next(sound.Length) : sound.Length).ToArray();
            for (var flips = random.Next(1, 6); flips > 0 && damaged.Length > 0; flips--)
            {
                damaged[random.Next(random.Next(2) == 0 ? Math.Min(damaged.Length, 200) : damaged.Length)] = (byte)random.NextBits();
            }

            (ImageDecoder.TryRead(damaged, limits, out _, out var problem) || problem is { Length: > 0 }).ShouldBeTrue();
        }
    }

    [Fact]
    public void A_truncated_JPEG_is_refused()
    {
        var sound = Read("full.jpg");
        foreach (var length in new[] { 0, 1, 20, 300, sound.Length / 2, sound.Length - 400 })
        {
            Should.Throw<UserErrorException>(() => ImageDecoder.Decode(sound.AsSpan(0, length).ToArray()));
        }
    }

    /// <summary>
    /// PNG files and what Pillow 9.4 reads from them: alpha dropped without compositing, grey and palette expanded, 16 bits cut to 8.
    /// </summary>
    [Theory]
    [InlineData("alpha", 0)]
    [InlineData("palette", 0)]
    [InlineData("grey8", 0)]
    [InlineData("greyalpha", 0)]
    [InlineData("bits", 0)]
    [InlineData("deep", 0)]
    public void PNG_becomes_RGB_as_Pillow_converts_it(string name, int tolerance)
    {
        var actual = ImageDecoder.Decode(Read(name + ".png"));
        actual
            .Rgb.Zip(Expected(name + ".expected.png").Rgb)
            .Max(pair => Math.Abs(pair.First - pair.Second))
            .ShouldBeLessThanOrEqualTo(tolerance);
    }

    [Fact]
    public void Encoding_loses_nothing()
    {
        var image = Expected("full.png");
        ImageDecoder.Decode(PngEncoder.Encode(image)).Rgb.AsSpan().SequenceEqual(image.Rgb).ShouldBeTrue();
    }

    [Fact]
    public void A_key_names_the_decoder_of_JPEG_where_it_is_not_the_exact_one()
    {
        ImageDecoding.OfMachine(isExact: true).ShouldBeEmpty();
        ImageDecoding.OfMachine(isExact: false).ToJsonString().ShouldBe("""{"jpegDecoder":"skia"}""");
        ImageDecoding.OfMachine().Count.ShouldBe(JpegDecoder.IsSupported ? 0 : 1);
    }

    private static byte[] Read(string name) => File.ReadAllBytes(Path.Combine(Folder, name));

    private static RgbImage Expected(string name) => ImageDecoder.Decode(Read(name));
}
