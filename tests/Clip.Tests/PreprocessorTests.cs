using ClipSae.Clip.Preprocessing;
using ClipSae.Imaging.Decoding;
using ClipSae.Imaging.Pixels;
using ClipSae.Imaging.Resizing;
using ClipSae.Tensors;
using TorchSharp;

namespace ClipSae.Clip.Tests;

public class PreprocessorTests
{
    private static readonly string Folder = Path.Combine(AppContext.BaseDirectory, "Reference");

    /// <summary>
    /// Expected values: Pillow and torchvision's transform of the original, stored as float16 (reference preprocess_224).
    /// </summary>
    [Theory]
    [InlineData("bwcat_cat")]
    [InlineData("landscape")]
    [InlineData("upscaled")]
    public void Agrees_with_Pillow_within_one_level(string name)
    {
        var image = ImageDecoder.Decode(File.ReadAllBytes(Path.Combine(Folder, name + ".png")));
        var actual = new float[3 * 224 * 224];
        Preprocessor.Preprocess(DecodedImage.Of(image), ImagePreparation.OpenAi(224), actual);
        using var file = SafetensorsFile.Open(Path.Combine(Folder, "preprocess_224.expected.safetensors"));
        using var read = file.Read(name);
        using var wide = read.to(torch.float32);
        var expected = wide.data<float>().ToArray();
        // One level is 1/255 over the smallest deviation; float16 adds half a unit of its last place.
        var off = actual
            .Zip(expected)
            .Count(pair => Math.Abs(pair.First - pair.Second) > 0.4 / 255 / 0.2613 + Math.Abs(pair.Second) / 1024);
        off.ShouldBe(0);
    }

    /// <summary>SigLIP's pictures (<c>Reference/squashed.py</c>).</summary>
    [Theory]
    [InlineData("landscape", 48, ResizeFilter.Bilinear)]
    [InlineData("landscape", 48, ResizeFilter.Bicubic)]
    [InlineData("upscaled", 160, ResizeFilter.Bilinear)]
    [InlineData("upscaled", 160, ResizeFilter.Bicubic)]
    public void A_squashed_picture_is_Pillows_to_the_bit(string name, int side, ResizeFilter filter)
    {
        var preparation = new ImagePreparation(side, ImageFit.Squash, filter, PixelNormalization.Halves);
        var image = ImageDecoder.Decode(File.ReadAllBytes(Path.Combine(Folder, name + ".png")));
        var (levels, floats) = (new byte[3 * side * side], new float[3 * side * side]);
        ImageResize.Resize(image, preparation.Target, levels);
        Preprocessor.Preprocess(DecodedImage.Of(image), preparation, floats);

        levels.ShouldBe(
            ImageDecoder
                .Decode(File.ReadAllBytes(Path.Combine(Folder, "squashed", $"{name}.{side}.{filter.ToString().ToLowerInvariant()}.png")))
                .Rgb
        );
        floats[0].ShouldBe((levels[0] / 255f - 0.5f) / 0.5f);
        ImageResize.Needed(image.Width, image.Height, preparation.Target).ShouldBe(new ImageRegion(0, 0, image.Width, image.Height));
    }

    [Fact]
    public void A_picture_of_the_models_size_is_only_normalised()
    {
        var rgb = new byte[64 * 64 * 3];
        new Random(1).NextBytes(rgb);
        var actual = new float[3 * 64 * 64];
        Preprocessor.Preprocess(new DecodedImage(64, 64, PixelMode.Rgb, rgb), ImagePreparation.OpenAi(64), actual);
        // Mean and deviation of openai/CLIP's transform.
        actual[0].ShouldBe((rgb[0] / 255f - 0.48145466f) / 0.26862954f, 1e-6f);
        actual[2 * 64 * 64 + 4095].ShouldBe((rgb[^1] / 255f - 0.40821073f) / 0.27577711f, 1e-6f);
    }
}
