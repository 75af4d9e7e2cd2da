using ClipSae.Datasets.Drawing;
using ClipSae.Imaging.Pixels;

namespace ClipSae.Datasets.Tests;

public sealed class PrintFamilyTests : IDisposable
{
    private readonly FontCatalogue _fonts = FontCatalogue.Load();

    public void Dispose() => _fonts.Dispose();

    [Fact]
    public void Every_family_prints_within_the_picture_and_its_print_can_be_drawn_again_from_its_record()
    {
        var painter = new WordPainter(_fonts);
        var picture = Grey(96);
        foreach (var family in PrintFamily.DrawableWith(_fonts))
        {
            for (var index = 0; index < 8; index++)
            {
                var shown = new WordPlanner(_fonts, family.Style).Plan(
                    "guitar",
                    _fonts.Of(family.Faces),
                    picture,
                    new SeededRandom(3, family.Name, index)
                );
                var printed = painter.Paint(picture, shown);

                printed.Rgb.SequenceEqual(picture.Rgb).ShouldBeFalse(family.Name);
                painter
                    .Paint(picture, shown.Select(placement => WordPlacement.Parse(placement.ToJson())))
                    .Rgb.SequenceEqual(printed.Rgb)
                    .ShouldBeTrue(family.Name);
                shown.Count.ShouldBeInRange(family.Style.MinCount, family.Style.MaxCount);
                if (family.Style.MaxRotation == 0)
                {
                    shown
                        .Select(painter.Box)
                        .ShouldAllBe(box => box.Left >= 0 && box.Top >= 0 && box.Right <= 96 && box.Bottom <= 96, family.Name);
                }
            }
        }
    }

    [Fact]
    public void Families_differ_and_a_machine_without_fonts_still_has_most_of_them()
    {
        using var carried = FontCatalogue.FromRoster([]);
        var names = PrintFamily.DrawableWith(carried).Select(family => family.Name).ToArray();

        names.ShouldBe(PrintFamily.All.Select(family => family.Name).Except(["serif", "mono", "condensed", "handwriting"]));
        var pictures = PrintFamily
            .All.Select(family => family.Style with { })
            .Zip(PrintFamily.All.Select(family => family.Faces))
            .Distinct();
        pictures.Count().ShouldBe(PrintFamily.All.Count);
    }

    [Fact]
    public void Faces_that_are_held_out_are_in_no_family()
    {
        var heldOut = _fonts.HeldOut.Select(face => face.Name).ToArray();
        PrintFamily.All.SelectMany(family => _fonts.Of(family.Faces)).Intersect(heldOut).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("DejaVuSansMono-Bold", true, FaceClass.Mono)]
    [InlineData("DejaVuSansCondensed-Bold", false, FaceClass.Condensed)]
    [InlineData("DejaVuSerif-Bold", false, FaceClass.Serif)]
    [InlineData("NotoSansSerifless", false, FaceClass.Sans)]
    [InlineData("Inter-Bold", false, FaceClass.Sans)]
    [InlineData("comicbd", false, FaceClass.Handwriting)]
    [InlineData("MyHandwriting", false, FaceClass.Handwriting)]
    public void A_face_is_classed_by_its_name_and_pitch(string name, bool isFixedPitch, FaceClass expected) =>
        KnownFaces.ClassOf(name, isFixedPitch).ShouldBe(expected);

    [Fact]
    public void Faces_for_families_alone_leave_the_digest_of_the_roster_as_it_is()
    {
        using var folder = new ImageFolder();
        File.WriteAllBytes(Path.Combine(folder.Data, "Caveat-Bold.ttf"), InterFonts.Read()[0].File);
        using var without = FontCatalogue.FromRoster([]);
        using var with = FontCatalogue.FromRoster([folder.Data]);

        with.Digest.ShouldBe(without.Digest);
        with.WholeDigest.ShouldNotBe(without.WholeDigest);
        with.Of(FaceClass.Handwriting).ShouldBe(["Caveat-Bold"]);
        PrintFamily.DrawableWith(with).Select(family => family.Name).ShouldContain("handwriting");
    }

    [Fact]
    public void A_curved_word_stands_higher_in_the_middle_than_at_its_ends()
    {
        var picture = Grey(160);
        var placement = new WordPlacement("mmmmmmm", _fonts.Tuning[0].Name, 16, 0, 20, "#000000", Curve: 120);
        var printed = new WordPainter(_fonts).Paint(picture, placement);
        int Top(int from, int to) =>
            Enumerable.Range(0, 160).First(y => Enumerable.Range(from, to - from).Any(x => printed.Rgb[3 * ((y * 160) + x)] < 64));
        var (width, _) = new WordPainter(_fonts).PlateSize(placement);

        Top(width * 2 / 5, width * 3 / 5).ShouldBeLessThan(Top(0, width / 5) - 8);
    }

    [Fact]
    public void Capitals_are_printed_and_the_word_stays_as_it_is()
    {
        var shown = new WordPlanner(_fonts, PrintFamily.Named("capitals").Style).Plan(
            "cat",
            _fonts.Of(FaceClass.Sans),
            Grey(64),
            new SeededRandom(1, "case")
        );
        var painter = new WordPainter(_fonts);

        shown[0].Word.ShouldBe("cat");
        painter
            .Paint(Grey(64), shown)
            .Rgb.ShouldBe(painter.Paint(Grey(64), shown.Select(placement => placement with { Word = "CAT", Case = WordCase.AsGiven })).Rgb);
    }

    [Fact]
    public void What_a_word_recorded_before_there_were_families_looks_like_has_not_changed()
    {
        new WordPlacement("cat", "face", 12, 1, 2, "#000000")
            .ToJson()
            .Select(member => member.Key)
            .ShouldBe(["word", "font", "size", "x", "y", "ink", "plate", "outline", "rotation", "overlay", "seed"]);
    }

    [Fact]
    public void An_unknown_family_is_named_with_those_there_are() =>
        Should
            .Throw<Contracts.UserErrorException>(() => PrintFamily.Named("neon"))
            .Message.ShouldStartWith("'neon' is not a family of print; available are plate, ");

    private static RgbImage Grey(int side)
    {
        var rgb = new byte[side * side * 3];
        Array.Fill(rgb, (byte)128);
        return new RgbImage(side, side, rgb);
    }
}
