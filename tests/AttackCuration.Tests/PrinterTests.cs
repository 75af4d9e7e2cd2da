using ClipSae.AttackCuration.Images;
using ClipSae.Clip.Preprocessing;
using ClipSae.Datasets;
using ClipSae.Datasets.Drawing;
using ClipSae.Imaging.Decoding;
using ClipSae.Imaging.Pixels;

namespace ClipSae.AttackCuration.Tests;

public sealed class PrinterTests : IDisposable
{
    private readonly FontCatalogue _fonts = FontCatalogue.FromRoster([]);

    public void Dispose() => _fonts.Dispose();

    [Fact]
    public void One_style_is_printed_as_it_was_before_there_were_families()
    {
        var image = Picture(64);
        var style = new WordStyle();
        string[] faces = [.. _fonts.Tuning.Select(face => face.Name)];
        var (shown, family) = Printer
            .Of(_fonts, style, ImagePreparation.OpenAi(32).Target)
            .Plan("boat", image, new SeededRandom(1, "place", 3));

        shown.ShouldBe(new WordPlanner(_fonts, style).Plan("boat", faces, image, new SeededRandom(1, "place", 3)));
        family.ShouldBeNull();
    }

    [Fact]
    public void Families_are_printed_as_often_as_they_weigh()
    {
        var printer = Printer.Of(
            _fonts,
            [(PrintFamily.Named("plate"), 3), (PrintFamily.Named("curved"), 1)],
            ImagePreparation.OpenAi(32).Target
        );
        var image = Picture(64);
        var drawn = Enumerable.Range(0, 400).Select(i => printer.Plan("boat", image, new SeededRandom(1, "draw", i))).ToArray();

        // 300 of 400 with a deviation of 8.7.
        drawn.Count(print => print.Family == "plate").ShouldBeInRange(265, 335);
        drawn.ShouldAllBe(print => print.Family == "curved" == (print.Shown[0].Curve > 0));
    }

    [Fact]
    public void A_picture_smaller_than_the_models_input_is_enlarged_as_the_model_would_before_it_is_printed_on()
    {
        var item = new DatasetItem("small.png", ["a cat"], "cat");
        ImageSource Source(int side) => new(item, PngEncoder.Encode(Picture(side)), "cat");
        var canvas = Source(20).Canvas(ImagePreparation.OpenAi(48).Target);

        (canvas.Width, canvas.Height).ShouldBe((48, 48));
        using var enlarged = PixelLoader.Stack([canvas], ImagePreparation.OpenAi(48));
        using var seen = PixelLoader.Load(1, _ => Source(20).Read(), ImagePreparation.OpenAi(48));
        enlarged.Equals(seen).ShouldBeTrue();
        Source(64).Canvas(ImagePreparation.OpenAi(48).Target).Rgb.ShouldBe(Picture(64).Rgb);
    }

    private static RgbImage Picture(int side)
    {
        var random = new SeededRandom(2, "picture", side);
        var rgb = new byte[3 * side * side];
        for (var i = 0; i < rgb.Length; i++)
        {
            rgb[i] = (byte)random.Next(256);
        }

        return new RgbImage(side, side, rgb);
    }
}
