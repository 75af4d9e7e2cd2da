using ClipSae.Clip.Model;
using ClipSae.Clip.Preprocessing;
using ClipSae.Datasets;
using ClipSae.Datasets.Drawing;
using ClipSae.Imaging.Decoding;
using ClipSae.Imaging.Pixels;
using ClipSae.Pages;
using ClipSae.Tensors;
using ClipSae.Web.Atlas;
using ClipSae.Web.Models;
using static TorchSharp.torch;

namespace ClipSae.Web.Trying;

/// <summary>Asks base and tuned model what a picture shows, as it is and with a word printed on it, and which features fire.</summary>
internal sealed class Trial(RunModels models, IReadOnlyList<string> templates, AtlasVolume? volume)
{
    private const int Candidates = 5;
    private const int Features = 10;
    private const int ImageSide = 320;

    /// <summary>What came of it.</summary>
    /// <param name="Plain">The picture as the models see it, PNG.</param>
    /// <param name="Printed">The same with the word; null without one.</param>
    /// <param name="Answers">By model: what it takes each picture for, likeliest first.</param>
    /// <param name="Firing">The features that change most by the word, or fire most without one; mean activation over the picture's
    /// tokens.</param>
    public sealed record Outcome(byte[] Plain, byte[]? Printed, IReadOnlyList<Answer> Answers, IReadOnlyList<Firing> Firing);

    /// <summary>What a model takes the pictures for.</summary>
    public sealed record Answer(
        string Model,
        IReadOnlyList<(string Text, double Probability)> Plain,
        IReadOnlyList<(string Text, double Probability)> Printed
    );

    /// <summary>A feature on both pictures, in the base and in the tuned model.</summary>
    public sealed record Firing(int Feature, double Plain, double? Printed, double? TunedPlain, double? TunedPrinted);

    /// <param name="picture">An image file.</param>
    /// <param name="word">What is printed on it; empty prints nothing.</param>
    /// <param name="family">How it is printed.</param>
    /// <param name="classes">Names to choose from; the word is added.</param>
    /// <exception cref="UserErrorException">The picture cannot be decoded, the word cannot be drawn, or a name does not fit the
    /// model.</exception>
    public Outcome Run(ReadOnlyMemory<byte> picture, string word, PrintFamily family, IReadOnlyList<string> classes)
    {
        Compute.Device("cpu");
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        UserErrorException.ThrowIf(
            !ImageDecoder.TryDecode(picture, null, out var decoded, out var problem),
            $"the picture cannot be decoded: {problem}"
        );

        var preparation = models.Base.Architecture.Preparation;
        var plain = Printer.Canvas(decoded, preparation.Target);
        var images = new List<RgbImage> { plain };
        if (word.Length > 0)
        {
            using var fonts = FontCatalogue.Load();
            var printer = Printer.Of(fonts, [(family, 1)], preparation.Target);
            images.Add(
                fonts.CanDraw(word)
                    ? printer.Paint(plain, printer.Plan(word, plain, new SeededRandom(0, "try it")).Shown)
                    : throw new UserErrorException($"no installed font has every letter of '{word}'")
            );
        }

        string[] names = [.. classes.Append(word).Where(name => name.Length > 0).Distinct(StringComparer.Ordinal)];
        var pixels = preparation.Normalization.Apply(PixelLoader.Stack(images, preparation));
        var (before, firingBefore) = Ask("base", models.Base, pixels, names);
        var after = models.Tuned is null ? default((Answer, float[][])?) : Ask($"tuned ({models.TunedName})", models.Tuned, pixels, names);
        return new Outcome(
            Png(images[0]),
            images.Count > 1 ? Png(images[1]) : null,
            [.. new[] { before, after?.Item1 }.OfType<Answer>()],
            Compare(firingBefore, after?.Item2)
        );
    }

    private (Answer Answer, float[][] Firing) Ask(string name, ClipModel model, Tensor pixels, string[] names)
    {
        var hooks = new Hooks();
        var hook = volume is null or { ReadsCaptions: true } ? null : volume.HookIn(model.Architecture);
        if (hook is not null)
        {
            hooks.Capture(hook);
        }

        var embeddings = model.EncodeImage(pixels, hooks);
        using var classifier = ZeroShotClassifier.Create(model, models.Tokenizer, names, templates);
        var probabilities = Rows(classifier.Logits(embeddings).softmax(1));
        var answer = new Answer(
            name,
            Likeliest(names, probabilities[0]),
            probabilities.Length > 1 ? Likeliest(names, probabilities[1]) : []
        );
        if (hook is null)
        {
            return (answer, []);
        }

        var activations = hooks.Captured(hook).to(float32);
        return (answer, Rows(hook.HasTokens ? volume!.Autoencoder.MeanLatents(activations) : volume!.Autoencoder.Encode(activations)));
    }

    private static IReadOnlyList<Firing> Compare(float[][] before, float[][]? after) =>
        before.Length == 0
            ? []
            :
            [
                .. Enumerable
                    .Range(0, before[0].Length)
                    .Select(feature => new Firing(
                        feature,
                        before[0][feature],
                        before.Length > 1 ? before[1][feature] : null,
                        after?[0][feature],
                        after?.Length > 1 ? after[1][feature] : null
                    ))
                    .OrderByDescending(firing => firing.Printed is { } printed ? Math.Abs(printed - firing.Plain) : firing.Plain)
                    .ThenBy(firing => firing.Feature)
                    .Take(Features)
                    .Where(firing => firing.Plain > 0 || firing.Printed > 0),
            ];

    private static IReadOnlyList<(string Text, double Probability)> Likeliest(string[] names, float[] probabilities) =>
        [
            .. names
                .Zip(probabilities, (name, probability) => (name, (double)probability))
                .OrderByDescending(candidate => candidate.Item2)
                .Take(Candidates),
        ];

    private static float[][] Rows(Tensor table) => [.. table.contiguous().data<float>().ToArray().Chunk((int)table.shape[1])];

    private static byte[] Png(RgbImage image) =>
        Thumbnail.Encode(PngEncoder.Encode(image), ImageSide) is var (_, content) ? content.ToArray() : [];
}
