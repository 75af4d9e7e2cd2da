using ClipSae.Datasets.Drawing;
using ClipSae.Datasets.World;

namespace ClipSae.Datasets.Tests;

public sealed class SyntheticWorldTests : IDisposable
{
    private readonly FontCatalogue _fonts = FontCatalogue.Load();

    public void Dispose() => _fonts.Dispose();

    [Fact]
    public void A_picture_is_the_same_whenever_it_is_drawn()
    {
        var options = new SyntheticWorldOptions
        {
            TrainImages = 60,
            TuningImages = 10,
            EvaluationImages = 10,
        };
        var one = new SyntheticWorld(options, _fonts);
        var other = new SyntheticWorld(options, _fonts);
        var forwards = Enumerable.Range(0, 60).Select(index => one.Draw(one.Splits[0], index).Png.ToArray()).ToList();
        var backwards = Enumerable
            .Range(0, 60)
            .Reverse()
            .AsParallel()
            .AsOrdered()
            .Select(index => other.Draw(other.Splits[0], index).Png.ToArray())
            .ToList();
        backwards.Reverse();
        for (var index = 0; index < 60; index++)
        {
            backwards[index].ShouldBe(forwards[index]);
        }
    }

    [Fact]
    public void Another_seed_draws_another_world()
    {
        var one = new SyntheticWorld(new SyntheticWorldOptions { Seed = 1 }, _fonts);
        var other = new SyntheticWorld(new SyntheticWorldOptions { Seed = 2 }, _fonts);
        one.Draw(one.Splits[0], 0).Png.ToArray().ShouldNotBe(other.Draw(other.Splits[0], 0).Png.ToArray());
    }

    [Fact]
    public void Held_out_words_and_fonts_are_never_printed_for_tuning()
    {
        var world = new SyntheticWorld(new SyntheticWorldOptions { ExcludeHeldOutObjects = true }, _fonts);
        var tuning = world.Splits.Single(split => split.Name == "tuning");
        var heldOutFonts = _fonts.HeldOut.Select(face => face.Name).ToList();
        foreach (var item in Enumerable.Range(0, 400).Select(index => world.Draw(tuning, index).Item))
        {
            WorldVocabulary.HeldOutWords.ShouldNotContain((string?)item.Attributes!["word"] ?? "");
            heldOutFonts.ShouldNotContain((string?)item.Attributes!["font"] ?? "");
            item.Captions.SelectMany(caption => caption.Split(' ')).Intersect(WorldVocabulary.HeldOutWords).ShouldBeEmpty();
        }
    }

    [Fact]
    public void An_attack_prints_a_word_that_is_not_the_object()
    {
        var world = new SyntheticWorld(new SyntheticWorldOptions(), _fonts);
        foreach (var split in world.Splits.Where(split => split.Name.StartsWith("attacked", StringComparison.Ordinal)))
        {
            foreach (var item in Enumerable.Range(0, 100).Select(index => world.Draw(split, index).Item))
            {
                ((string?)item.Attributes!["word"]).ShouldNotBe(item.Label);
                ((string?)item.Attributes["object"]).ShouldBe(item.Label);
                split.Words.ShouldContain((string)item.Attributes["word"]!);
            }
        }
    }

    [Fact]
    public void Every_word_fits_the_picture_in_every_font()
    {
        var painter = new WordPainter(_fonts);
        var world = new SyntheticWorld(new SyntheticWorldOptions(), _fonts);
        foreach (var item in Enumerable.Range(0, 600).Select(index => world.Draw(world.Splits[0], index).Item))
        {
            if (item.Attributes!["placement"] is { } node)
            {
                var placement = WordPlacement.Parse(node);
                var (left, top, right, bottom) = painter.Box(placement);
                left.ShouldBeGreaterThanOrEqualTo(0);
                top.ShouldBeGreaterThanOrEqualTo(0);
                right.ShouldBeLessThanOrEqualTo(64);
                bottom.ShouldBeLessThanOrEqualTo(64);
                placement.Size.ShouldBeGreaterThan(13);
            }
        }
    }

    [Fact]
    public void The_kinds_come_in_their_shares()
    {
        var options = new SyntheticWorldOptions
        {
            ObjectShare = 0.4,
            OwnNameShare = 0.3,
            PosterShare = 0.1,
        };
        var world = new SyntheticWorld(options, _fonts);
        var kinds = Enumerable
            .Range(0, 1000)
            .Select(index => (string)world.Draw(world.Splits[0], index).Item.Attributes!["kind"]!)
            .ToList();
        // Three standard deviations of a share of 1,000 draws are below 0.05.
        Share("object").ShouldBe(0.4, 0.05);
        Share("own-name").ShouldBe(0.3, 0.05);
        Share("poster").ShouldBe(0.1, 0.05);
        Share("word").ShouldBe(0.2, 0.05);

        double Share(string kind) => kinds.Count(one => one == kind) / 1000.0;
    }
}
