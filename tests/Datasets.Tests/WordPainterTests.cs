using ClipSae.Datasets.Drawing;
using ClipSae.Datasets.World;
using ClipSae.Imaging.Pixels;

namespace ClipSae.Datasets.Tests;

public sealed class WordPainterTests : IDisposable
{
    private readonly FontCatalogue _fonts = FontCatalogue.Load();

    public void Dispose() => _fonts.Dispose();

    [Fact]
    public void A_recorded_placement_is_drawn_again_to_the_pixel()
    {
        var painter = new WordPainter(_fonts);
        var planner = new WordPlanner(_fonts, new WordStyle());
        for (var index = 0; index < 50; index++)
        {
            var random = new SeededRandom(3, "plan", index);
            var placements = planner.Plan("house", [.. _fonts.All.Select(face => face.Name)], Grey(320, 224), random);
            var recorded = placements.Select(placement =>
                WordPlacement.Parse(System.Text.Json.Nodes.JsonNode.Parse(placement.ToJson().ToJsonString())!)
            );
            painter
                .Paint(Grey(320, 224), recorded)
                .Rgb.AsSpan()
                .SequenceEqual(painter.Paint(Grey(320, 224), placements).Rgb)
                .ShouldBeTrue();
        }
    }

    [Theory]
    [InlineData(WordOverlay.Strokes)]
    [InlineData(WordOverlay.Mirrored)]
    [InlineData(WordOverlay.Scrambled)]
    public void A_control_has_the_ink_of_the_word_and_is_another_picture(WordOverlay overlay)
    {
        var painter = new WordPainter(_fonts);
        foreach (var word in WorldVocabulary.Words)
        {
            var placement = new WordPlacement(word, _fonts.Tuning[0].Name, 16, 1, 1, "#000000", "#ffffff", Seed: 5);
            var printed = painter.Paint(Grey(96, 64), placement);
            var control = painter.Paint(Grey(96, 64), WordPlanner.Control([placement], overlay, 5));
            var (ink, controlInk) = (printed.Rgb.Sum(value => 255 - value), control.Rgb.Sum(value => 255 - value));
            ((double)controlInk / ink).ShouldBe(1, 0.01);
            control.Rgb.Zip(printed.Rgb).Count(pair => Math.Abs(pair.First - pair.Second) > 60).ShouldBeGreaterThan(100);
        }
    }

    [Theory]
    [InlineData(64, 64)]
    [InlineData(224, 300)]
    [InlineData(1200, 800)]
    public void A_planned_word_lies_within_the_picture(int width, int height)
    {
        var painter = new WordPainter(_fonts);
        foreach (var style in new[] { WordStyle.Plate, new WordStyle() })
        {
            var planner = new WordPlanner(_fonts, style);
            foreach (
                var placement in Enumerable
                    .Range(0, 100)
                    .SelectMany(index =>
                        planner.Plan(
                            "crown",
                            [.. _fonts.All.Select(face => face.Name)],
                            Grey(width, height),
                            new SeededRandom(1, "inside", index)
                        )
                    )
            )
            {
                var (left, top, right, bottom) = painter.Box(placement);
                left.ShouldBeGreaterThanOrEqualTo(0);
                top.ShouldBeGreaterThanOrEqualTo(0);
                right.ShouldBeLessThanOrEqualTo(width + 1);
                bottom.ShouldBeLessThanOrEqualTo(height + 1);
            }
        }
    }

    [Fact]
    public void A_word_is_printed_where_it_hides_least()
    {
        var style = WordStyle.Plate with { Places = 12 };
        string[] faces = [.. _fonts.Tuning.Select(face => face.Name)];
        foreach (var detailAbove in new[] { true, false })
        {
            var picture = Grey(64, 64);
            for (var pixel = 0; pixel < 64 * 24; pixel++)
            {
                picture.Rgb[3 * (pixel + (detailAbove ? 0 : 64 * 40))] = (byte)(pixel % 5 * 50);
            }

            for (var index = 0; index < 20; index++)
            {
                var placement = new WordPlanner(_fonts, style)
                    .Plan("boat", faces, picture, new SeededRandom(1, "place", index))
                    .ShouldHaveSingleItem();
                (placement.Y > 24).ShouldBe(detailAbove);
            }
        }
    }

    [Fact]
    public void A_machine_without_fonts_draws_with_those_that_come_along()
    {
        using var fonts = FontCatalogue.FromRoster([]);
        fonts.Tuning.Count.ShouldBe(4);
        fonts.HeldOut.Count.ShouldBeGreaterThanOrEqualTo(2);
        fonts.Tuning.Select(face => face.Name).ShouldNotContain(name => fonts.HeldOut.Any(face => face.Name == name));
        var painter = new WordPainter(fonts);
        var pictures = fonts.All.Select(face =>
            Convert.ToHexString(painter.Paint(Grey(96, 64), new WordPlacement("house", face.Name, 16, 1, 1, "#000000", "#ffffff")).Rgb)
        );
        pictures.Distinct().Count().ShouldBe(fonts.All.Count());
    }

    [Fact]
    public void Fonts_are_known_by_content_wherever_they_lie()
    {
        using var folder = new ImageFolder();
        var inter = InterFonts.Read().Take(4).ToArray();
        string Digest(string at, Func<int, byte[]> file)
        {
            var here = Directory.CreateDirectory(Path.Combine(folder.Data, at)).FullName;
            for (var index = 0; index < inter.Length; index++)
            {
                File.WriteAllBytes(Path.Combine(here, inter[index].Name + ".ttf"), file(index));
            }

            using var fonts = FontCatalogue.Load(here);
            return fonts.Digest;
        }

        var digest = Digest("here", index => inter[index].File);
        Digest("there", index => inter[index].File).ShouldBe(digest);
        Digest("changed", index => inter[(index + 1) % inter.Length].File).ShouldNotBe(digest);
    }

    [Fact]
    public void A_folder_without_fonts_is_a_clear_error()
    {
        using var folder = new ImageFolder();
        Should.Throw<ClipSae.Contracts.UserErrorException>(() => FontCatalogue.Load(folder.Data)).Message.ShouldContain("0 fonts");
        Should
            .Throw<ClipSae.Contracts.UserErrorException>(() => FontCatalogue.Load(folder.Data + "/none"))
            .Message.ShouldContain("does not exist");
    }

    private static RgbImage Grey(int width, int height)
    {
        var rgb = new byte[width * height * 3];
        Array.Fill(rgb, (byte)128);
        return new RgbImage(width, height, rgb);
    }
}
