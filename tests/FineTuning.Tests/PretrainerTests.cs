using ClipSae.Clip.Preprocessing;
using ClipSae.Datasets.Drawing;
using ClipSae.Datasets.World;
using ClipSae.FineTuning.Data;
using ClipSae.FineTuning.Pretraining;
using ClipSae.Imaging.Decoding;
using TorchSharp;
using static TorchSharp.torch;

namespace ClipSae.FineTuning.Tests;

/// <summary>The recipe of the shipped base on a small budget.</summary>
public sealed class PretrainerTests : IDisposable
{
    private const int Images = 640;

    /// <summary>Objects without print, whose captions always tell the colour: what can be learned soonest.</summary>
    private static readonly SyntheticWorldOptions World = new()
    {
        ImageSize = 32,
        ObjectShare = 1,
        OwnNameShare = 0,
        PosterShare = 0,
        ObjectCaptions = ["a photo of {article} {colour} {object}"],
    };

    private static readonly PretrainingOptions Options = new()
    {
        Resolution = 32,
        PatchSize = 8,
        VisionWidth = 64,
        VisionLayers = 2,
        TextWidth = 64,
        TextLayers = 1,
        EmbedDim = 32,
        Merges = 100,
        Steps = 100,
        BatchSize = 64,
        WarmUpSteps = 10,
    };

    private readonly DisposeScope _scope = NewDisposeScope();

    public void Dispose() => _scope.Dispose();

    [Fact]
    public void The_recipe_learns_what_pictures_show()
    {
        using var data = Draw("train", Images);
        using var unseen = Draw("clean", 200, out var colours);
        var tokenizer = Pretrainer.LearnVocabulary(data, Options.Merges);
        var losses = new List<Pretrainer.Progress>();
        using var model = Pretrainer.Train(data, tokenizer, Options, CPU, new Reports<Pretrainer.Progress>(losses.Add));

        losses.Select(loss => loss.Step).ShouldBe([25, 50, 75, 100]);
        losses[^1].Loss.ShouldBeLessThan(losses[0].Loss - 0.5);
        // Zero-shot on pictures of another split, among eight colours: chance is .125.
        var templates = WorldVocabulary.Objects.Select(name => $"a photo of a {{}} {name}").ToArray();
        new ValidationSet(unseen.Pixels, colours, [.. WorldVocabulary.Colours.Select(colour => colour.Name)])
            .Accuracy(model, tokenizer, templates, CPU)
            .ShouldBeGreaterThan(0.6);
    }

    [Fact]
    public void Equal_data_and_options_give_equal_weights()
    {
        using var data = Draw("train", 64);
        var tokenizer = Pretrainer.LearnVocabulary(data, Options.Merges);
        var few = Options with { Steps = 3 };
        using var first = Pretrainer.Train(data, tokenizer, few, CPU);
        using var second = Pretrainer.Train(data, tokenizer, few, CPU);
        using var other = Pretrainer.Train(data, tokenizer, few with { Seed = 1 }, CPU);

        second.StateDict().ShouldAllBe(weight => weight.Value.Equals(first.StateDict()[weight.Key]));
        other.StateDict()["visual.proj"].Equals(first.StateDict()["visual.proj"]).ShouldBeFalse();
    }

    [Fact]
    public void Too_few_images_are_a_clear_error()
    {
        using var data = Draw("train", 63);

        Should
            .Throw<UserErrorException>(() => Pretrainer.Train(data, Pretrainer.LearnVocabulary(data, 10), Options, CPU))
            .Message.ShouldBe(
                "pretrain: the data set has 63 usable images, fewer than one batch of 64; add images or lower the batch size"
            );
    }

    [Fact]
    public void A_training_that_diverges_is_a_clear_error()
    {
        using var data = Draw("train", 64);
        var wild = Options with { Steps = 5, LearningRate = 1e30, WarmUpSteps = 1, BatchSize = 8 };

        Should
            .Throw<UserErrorException>(() => Pretrainer.Train(data, Pretrainer.LearnVocabulary(data, 10), wild, CPU))
            .Message.ShouldBe("pretrain: the loss is no longer a number by step 5; lower the learning rate or lengthen the warm-up");
    }

    [Theory]
    [InlineData(60, 16, 128, "pretrain: resolution 60 must be a multiple of patch size 16")]
    [InlineData(64, 16, 100, "pretrain: widths 100 and 128 must be multiples of 64 (one head is 64 wide)")]
    public void Impossible_sizes_are_named(int resolution, int patch, int width, string message) =>
        Should
            .Throw<UserErrorException>(() =>
                new PretrainingOptions
                {
                    Resolution = resolution,
                    PatchSize = patch,
                    VisionWidth = width,
                }.Validated()
            )
            .Message.ShouldBe(message);

    [Fact]
    public void It_stops_when_asked_to()
    {
        using var data = Draw("train", 64);
        using var cancel = new CancellationTokenSource();
        var progress = new Reports<Pretrainer.Progress>(_ => cancel.Cancel());

        Should.Throw<OperationCanceledException>(() =>
            Pretrainer.Train(data, Pretrainer.LearnVocabulary(data, 10), Options with { BatchSize = 8 }, CPU, progress, cancel.Token)
        );
    }

    private static CaptionedPixels Draw(string split, int count) => Draw(split, count, out _);

    private static CaptionedPixels Draw(string split, int count, out string[] colours)
    {
        using var fonts = FontCatalogue.FromRoster([]);
        var world = new SyntheticWorld(World, fonts);
        var part = world.Splits.Single(s => s.Name == split);
        var images = Enumerable.Range(0, count).Select(index => world.Draw(part, index)).ToArray();
        colours = [.. images.Select(image => image.Item.Attributes?["colour"]?.GetValue<string>() ?? "")];
        return new CaptionedPixels(
            PixelLoader.Load(count, index => ImageDecoder.Read(images[index].Png), ImagePreparation.OpenAi(Options.Resolution)),
            [.. images.Select(image => image.Item.Captions)]
        );
    }
}
