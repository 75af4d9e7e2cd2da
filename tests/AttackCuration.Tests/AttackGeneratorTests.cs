using ClipSae.AttackCuration.Attacks;
using ClipSae.AttackCuration.Images;
using ClipSae.AttackCuration.Salience;
using ClipSae.AttackCuration.Settings;
using ClipSae.AttackCuration.Words;
using ClipSae.Clip.Architecture;
using ClipSae.Clip.Cuda;
using ClipSae.Clip.Model;
using ClipSae.Clip.Preprocessing;
using ClipSae.Datasets.Drawing;
using ClipSae.Imaging.Pixels;
using ClipSae.Results.Curation;
using static TorchSharp.torch;

namespace ClipSae.AttackCuration.Tests;

public sealed class AttackGeneratorTests : IDisposable
{
    private static readonly string[] Words = ["cat", "dog", "tree"];
    private static readonly AttackCurationOptions Options = new()
    {
        Seed = 4,
        CandidatesPerImage = 2,
        BatchSize = 7,
    };
    private static readonly ImageSource[] Sources =
    [
        .. CurationSetup.Pictures(24).Select(p => new ImageSource(p.Item, p.Image, p.Item.Label!)),
    ];

    private readonly TorchSharp.DisposeScope _scope = NewDisposeScope();
    private readonly FontCatalogue _fonts = FontCatalogue.FromRoster([]);
    private readonly ClipModel _model = RandomClip.Create();
    private readonly VisionPlan _vision;
    private readonly ZeroShotClassifier _classifier;
    private readonly CausalSweep.Row _salient;

    public AttackGeneratorTests()
    {
        _vision = VisionPlan.Compile(_model);
        _classifier = ZeroShotClassifier.Create(_model, RandomClip.Tokenizer, RandomClip.Classes, ["a photo of a {}"]);
        using var pairs = RandomClip.Pairs(8);
        var at = RandomClip.Autoencoder(_model, new HookPoint.Mlp(0));
        var any = new AttackAccuracy(1, 0, 1);
        _salient = new CausalSweep.Row(
            at,
            FeatureSurvey.Of(_vision, at, pairs, 8, CPU, CancellationToken.None),
            0.1,
            [new(3, 2, 1.5, 0.9), new(9, 0.5, 0.7, 0.8), new(20, 4, double.PositiveInfinity, 1)],
            any,
            any,
            [any]
        );
    }

    public void Dispose()
    {
        _classifier.Dispose();
        _vision.Dispose();
        _model.Dispose();
        _fonts.Dispose();
        _scope.Dispose();
    }

    [Fact]
    public void Words_are_wrong_differ_on_a_picture_and_are_set_in_faces_that_are_not_held_out()
    {
        var candidates = Generate(Options);

        candidates.Select(c => c.Source).ShouldBe(Enumerable.Range(0, Sources.Length).SelectMany(i => new[] { i, i }));
        candidates.ShouldAllBe(c =>
            c.Label == Sources[c.Source].Label && c.Word != c.Label && Words.Contains(c.Word) && c.Shown.All(p => p.Word == c.Word)
        );
        candidates.GroupBy(c => c.Source).ShouldAllBe(picture => picture.Select(c => c.Word).Distinct().Count() == 2);
        candidates.SelectMany(c => c.Shown).Select(p => p.Font).Distinct().ShouldBeSubsetOf(_fonts.Tuning.Select(face => face.Name));
        candidates.Max(c => c.Shown.Count).ShouldBe(Options.Style.MaxCount);
    }

    [Fact]
    public void No_word_is_printed_that_a_caption_names()
    {
        ImageSource[] sources =
        [
            .. Sources.Select(s => new ImageSource(s.Item with { Captions = ["a dog and a cat"], Label = "cat" }, s.Encoded, "cat")),
        ];

        Generator(Options).Generate(sources, _ => { }, CancellationToken.None).ShouldAllBe(candidate => candidate.Word == "tree");
    }

    [Fact]
    public void Candidates_follow_from_the_seed_whatever_the_batch()
    {
        var first = Generate(Options);
        var second = Generate(Options with { BatchSize = 24 });
        var other = Generate(Options with { Seed = 5 });

        second.SelectMany(c => c.Shown).ShouldBe(first.SelectMany(c => c.Shown));
        second.Select(c => c.Fooled).ShouldBe(first.Select(c => c.Fooled));
        other.SelectMany(c => c.Shown).ShouldNotBe(first.SelectMany(c => c.Shown));
    }

    [Fact]
    public void Scores_are_those_of_the_picture_drawn_again()
    {
        using var noGrad = no_grad();
        var generator = Generator(Options);
        foreach (var candidate in Generate(Options).Where((_, index) => index % 9 == 0))
        {
            var picture = PixelLoader.Stack(
                [generator.Draw(Sources[candidate.Source], candidate.Shown)],
                ImagePreparation.OpenAi(RandomClip.Resolution)
            );
            var hooks = new Hooks().Capture(new HookPoint.Mlp(0));
            var logits = _classifier.Logits(_model.EncodeImage(PixelNormalization.OpenAi.Apply(picture), hooks)).data<float>().ToArray();
            var latents = _salient.Hook.Sae.Encode(hooks.Captured(new HookPoint.Mlp(0))).mean([0, 1]).data<float>().ToArray();
            double Logit(string name) => logits[RandomClip.Classes.ToList().IndexOf(name)];
            // Salience is the smaller of the two differences.
            var weighted = new[]
            {
                (Feature: 3, Value: 1.5 * latents[3]),
                (Feature: 9, Value: 0.5 * latents[9]),
                (Feature: 20, Value: 4.0 * latents[20]),
            };

            candidate.Margin.ShouldBe(Logit(candidate.Word) - Logit(candidate.Label), 1e-4);
            candidate.Fooled.ShouldBe(logits.Max() == (float)Logit(candidate.Word));
            candidate.Visible.ShouldBe(
                Decision(generator.Draw(Sources[candidate.Source], WordPairs.ControlOf(candidate.Shown, candidate.Source, Options.Seed)))
                    == candidate.Label
            );
            candidate.Activation.ShouldBe(weighted.Sum(f => f.Value), 1e-4);
            candidate.Features.ShouldBe(weighted.Where(f => f.Value > 0).OrderByDescending(f => f.Value).Select(f => f.Feature));
        }
    }

    [Fact]
    public void With_two_words_a_picture_of_one_gets_the_other_again()
    {
        var candidates = Generator(Options, ["cat", "dog"])
            .Generate([.. Sources.Where(s => s.Label == "cat")], _ => { }, CancellationToken.None);

        candidates.ShouldAllBe(c => c.Word == "dog");
    }

    private string Decision(RgbImage picture)
    {
        var images = PixelNormalization.OpenAi.Apply(PixelLoader.Stack([picture], ImagePreparation.OpenAi(RandomClip.Resolution)));
        return _classifier.Names[(int)_classifier.Logits(_model.EncodeImage(images)).argmax(1).item<long>()];
    }

    private AttackGenerator Generator(AttackCurationOptions options, IReadOnlyList<string>? words = null) =>
        new(
            _vision,
            _classifier,
            _salient,
            [],
            Printer.Of(_fonts, options.Style, ImagePreparation.OpenAi(RandomClip.Resolution).Target),
            new WordChooser(_classifier, WordStock.Of(words ?? Words), _classifier.Names.Count),
            options,
            CPU
        );

    private IReadOnlyList<AttackCandidate> Generate(AttackCurationOptions options) =>
        Generator(options).Generate(Sources, _ => { }, CancellationToken.None);
}
