using ClipSae.AttackCuration.Images;
using ClipSae.AttackCuration.RedTeam;
using ClipSae.AttackCuration.Settings;
using ClipSae.AttackCuration.Words;
using ClipSae.Clip.Cuda;
using ClipSae.Clip.Model;
using ClipSae.Datasets.Drawing;
using static TorchSharp.torch;

namespace ClipSae.AttackCuration.Tests;

public sealed class FamilySearchTests : IDisposable
{
    private static readonly AttackCurationOptions Options = new()
    {
        Seed = 4,
        SearchWords = 3,
        BatchSize = 7,
    };
    private static readonly ImageSource[] Sources =
    [
        .. CurationSetup.Pictures(16).Select(p => new ImageSource(p.Item, p.Image, p.Item.Label!)),
    ];
    private readonly FontCatalogue _fonts = FontCatalogue.FromRoster([]);
    private readonly ClipModel _model = RandomClip.Create();
    private readonly VisionPlan _vision;
    private readonly ZeroShotClassifier _classifier;

    public FamilySearchTests()
    {
        _vision = VisionPlan.Compile(_model);
        _classifier = ZeroShotClassifier.Create(_model, RandomClip.Tokenizer, RandomClip.Classes, ["a photo of a {}"]);
    }

    public void Dispose()
    {
        _classifier.Dispose();
        _vision.Dispose();
        _model.Dispose();
        _fonts.Dispose();
    }

    [Fact]
    public void The_better_half_has_as_many_words_again_and_twice_until_four_are_left()
    {
        var families = PrintFamily.DrawableWith(_fonts).Take(9).ToArray();
        var reports = new List<(int Done, int Total)>();
        var found = Run(Options, families, (done, total) => reports.Add((done, total)));

        // Nine with 3 words, five of them with 6 more, three of these with 12 more.
        found.Families.Select(rate => rate.Tried).Order().ShouldBe([3, 3, 3, 3, 9, 9, 21, 21, 21]);
        found.Families.Select(rate => rate.Name).ShouldBe(families.Select(family => family.Name));
        found.Families.Where(rate => rate.Tried > 3).Min(rate => rate.Expected).ShouldBeGreaterThan(0);
        found.Words.Sum(rate => rate.Tried).ShouldBe(93);
        found.Words.Sum(rate => rate.Fooled).ShouldBe(found.Families.Sum(rate => rate.Fooled));
        reports[^1].ShouldBe((93, 93));
        found.Clean.ShouldBeInRange(0, 1);
    }

    [Fact]
    public void It_follows_from_the_seed_whatever_the_batch()
    {
        var families = PrintFamily.DrawableWith(_fonts).Take(6).ToArray();
        var first = Run(Options, families);

        Run(Options with { BatchSize = 64 }, families).Families.ShouldBe(first.Families);
        Run(Options with { Seed = 5, SearchWords = 8 }, families).Families.ShouldNotBe(first.Families);
    }

    [Fact]
    public void Of_four_families_and_more_every_fourth_by_rate_is_held_out_beginning_with_the_second()
    {
        var families = PrintFamily.All.Take(8).ToArray();
        FamilyRate[] rates = [.. families.Select((family, place) => new FamilyRate(family.Name, 32, 4 * place))];
        var stock = WordStock.Of(["cat", "dog"]);
        FamilySearch.Result Found(int count) =>
            new(rates[..count], [new("nearest", 10, 8), new("confusing", 10, 0), new("listed", 10, 4)], 0.9);
        var ways = Ways.Of(Found(8), families, stock);

        // The rates rise with the place: the second best is place 6, the sixth is place 2.
        ways.HeldOut.ShouldBe([families[2], families[6]]);
        ways.Trained.Select(of => of.Family).ShouldBe(families.Except(ways.HeldOut));
        ways.Trained.Sum(of => of.Weight).ShouldBe(1, 1e-9);
        ways.Trained.Select(of => of.Weight).ShouldBeInOrder();
        ways.Trained.Min(of => of.Weight).ShouldBeGreaterThan(0.25 / 6);
        ways.Words[WordKind.Nearest].ShouldBeGreaterThan(ways.Words[WordKind.Listed]);
        Ways.Of(Found(3), families[..3], stock).HeldOut.ShouldBeEmpty();
    }

    private FamilySearch.Result Run(AttackCurationOptions options, IReadOnlyList<PrintFamily> families, Action<int, int>? done = null)
    {
        using var scope = NewDisposeScope();
        return new FamilySearch(
            _vision,
            _classifier,
            WordStock.Of(["cat", "dog", "tree"]),
            _classifier.Names.Count,
            _fonts,
            options,
            CPU
        ).Run(Sources, families, done ?? ((_, _) => { }), CancellationToken.None);
    }
}
