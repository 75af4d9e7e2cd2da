using ClipSae.AttackCuration.Images;
using ClipSae.AttackCuration.Settings;
using ClipSae.Clip.Preprocessing;
using ClipSae.Datasets.Drawing;

namespace ClipSae.AttackCuration.Tests;

public sealed class WordPairsTests : IDisposable
{
    private static readonly string[] Words = ["cat", "dog", "tree"];
    private static readonly AttackCurationOptions Options = new()
    {
        Seed = 4,
        Style = new WordStyle { MinSize = 0.3, MaxSize = 0.3 },
    };
    private readonly FontCatalogue _fonts = FontCatalogue.FromRoster([]);

    public void Dispose() => _fonts.Dispose();

    [Fact]
    public void The_word_is_never_the_pictures_own_label()
    {
        using var pairs = Draw(Options);

        pairs.Count.ShouldBe(CurationSetup.Images);
        pairs.Words.ShouldBeSubsetOf(Words);
        pairs.Words.Distinct().Count().ShouldBe(Words.Length);
        pairs.Words.Zip(pairs.Labels).ShouldAllBe(pair => pair.First != pair.Second);
    }

    [Fact]
    public void No_word_is_printed_that_a_caption_names()
    {
        ImageSource[] sources =
        [
            .. CurationSetup
                .Pictures()
                .Select(p => new ImageSource(p.Item with { Captions = ["a cat and a dog"], Label = "cat" }, p.Image, "cat")),
        ];
        using var pairs = WordPairs.Draw(
            sources,
            Options,
            Words,
            Printer.Of(_fonts, Options.Style, ImagePreparation.OpenAi(RandomClip.Resolution).Target),
            ImagePreparation.OpenAi(RandomClip.Resolution)
        );

        pairs.Words.ShouldAllBe(word => word == "tree");
    }

    [Fact]
    public void Word_control_and_clean_picture_differ()
    {
        using var pairs = Draw(Options);
        for (var i = 0; i < pairs.Count; i++)
        {
            pairs.Word[i].Equals(pairs.Clean[i]).ShouldBeFalse();
            pairs.Control[i].Equals(pairs.Clean[i]).ShouldBeFalse();
            pairs.Control[i].Equals(pairs.Word[i]).ShouldBeFalse();
        }
    }

    [Fact]
    public void They_follow_from_the_seed()
    {
        using var first = Draw(Options);
        using var second = Draw(Options);
        using var other = Draw(Options with { Seed = 5 });

        second.Words.ShouldBe(first.Words);
        second.Word.Equals(first.Word).ShouldBeTrue();
        second.Control.Equals(first.Control).ShouldBeTrue();
        other.Word.Equals(first.Word).ShouldBeFalse();
    }

    [Fact]
    public void A_control_has_the_words_place_and_ink_and_another_overlay()
    {
        WordPlacement[] shown =
        [
            new("taxi", "Inter-Bold", 12, 3, 4, "#101010", "#fafafa", Rotation: 7),
            new("taxi", "Inter-Medium", 9, 1, 2, "#202020", null, "#eeeeee"),
        ];
        var overlays = new HashSet<WordOverlay>();
        for (var index = 0; index < 6; index++)
        {
            var control = WordPairs.ControlOf(shown, index, 10);
            control.Select(c => c with { Overlay = WordOverlay.Word, Seed = 0 }).ShouldBe(shown);
            overlays.Add(control[0].Overlay);
        }

        overlays.ShouldBe([WordOverlay.Strokes, WordOverlay.Mirrored, WordOverlay.Scrambled], ignoreOrder: true);
    }

    [Fact]
    public void A_part_is_the_same_pairs()
    {
        using var pairs = Draw(Options);
        var part = pairs.Part(10, 5);

        part.Count.ShouldBe(5);
        part.Words.ShouldBe(pairs.Words.Skip(10).Take(5));
        part.Word[2].Equals(pairs.Word[12]).ShouldBeTrue();
        part.Control[0].Equals(pairs.Control[10]).ShouldBeTrue();
    }

    private WordPairs Draw(AttackCurationOptions options) =>
        WordPairs.Draw(
            [.. CurationSetup.Pictures().Select(p => new ImageSource(p.Item, p.Image, p.Item.Label!))],
            options,
            Words,
            Printer.Of(_fonts, options.Style, ImagePreparation.OpenAi(RandomClip.Resolution).Target),
            ImagePreparation.OpenAi(RandomClip.Resolution)
        );
}
