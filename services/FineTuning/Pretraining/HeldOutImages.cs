using ClipSae.Clip.Model;
using ClipSae.Clip.Tokenizers;
using ClipSae.Datasets;
using ClipSae.FineTuning.Data;
using static TorchSharp.torch;

namespace ClipSae.FineTuning.Pretraining;

/// <summary>
/// Pictures kept from a training from scratch, and how many of them the trained model names: by their labels if there are two and more,
/// else by their own caption among the others'. The loss says what a model can do with what it was shown; this says what it can do with
/// other pictures.
/// </summary>
public sealed class HeldOutImages : IDisposable
{
    /// <summary>Pictures held out at most: they show an accuracy to about two points.</summary>
    public const int MaxImages = 512;

    private const int Batch = 128;
    private const string ClassPrompt = "a photo of a {}";

    private readonly CaptionedPixels _pictures;
    private readonly string[] _answers;

    private HeldOutImages(CaptionedPixels pictures, string[] answers, bool areClasses) =>
        (_pictures, _answers, AreClasses) = (pictures, answers, areClasses);

    /// <summary>Whether the model chooses among labels; otherwise among captions.</summary>
    public bool AreClasses { get; }

    /// <summary>How many there are.</summary>
    public int Count => _answers.Length;

    /// <summary>Different answers to choose from.</summary>
    public int Choices => _answers.Distinct(StringComparer.Ordinal).Count();

    /// <summary>Draws items to hold out, by the seed.</summary>
    /// <param name="items">The data set's items.</param>
    /// <param name="share">Share of them, 0 to 0.5.</param>
    /// <returns>Places of the items, in order; at most <see cref="MaxImages"/>.</returns>
    public static IReadOnlyList<int> Draw(IReadOnlyList<DatasetItem> items, double share, long seed)
    {
        var order = Enumerable.Range(0, items.Count).ToArray();
        new SeededRandom(seed, "held-out pictures").Shuffle(order);
        return [.. order.Take(Math.Min(MaxImages, (int)(share * items.Count))).Order()];
    }

    /// <param name="pictures">At the model's resolution.</param>
    /// <param name="items">What they are, in the same order.</param>
    public static HeldOutImages Of(CaptionedPixels pictures, IReadOnlyList<DatasetItem> items)
    {
        var areClasses =
            items.All(item => item.Label is not null) && items.Select(item => item.Label).Distinct(StringComparer.Ordinal).Count() >= 2;
        return new HeldOutImages(pictures, [.. items.Select(item => areClasses ? item.Label! : item.Captions[0])], areClasses);
    }

    /// <summary>Share of the pictures that the model names right.</summary>
    /// <exception cref="UserErrorException">A label is longer than the model's context.</exception>
    public double Accuracy(ClipModel model, ClipTokenizer tokenizer, Device device)
    {
        using var quiet = inference_mode();
        using var scope = NewDisposeScope();
        string[] names = [.. _answers.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
        var column = names.Index().ToDictionary(name => name.Item, name => (long)name.Index, StringComparer.Ordinal);
        var texts = AreClasses ? null : CaptionEmbeddings(model, tokenizer, names, device);
        using var classifier = AreClasses ? ZeroShotClassifier.Create(model, tokenizer, names, [ClassPrompt]) : null;
        var right = 0;
        for (var from = 0; from < Count; from += Batch)
        {
            using var step = NewDisposeScope();
            int[] batch = [.. Enumerable.Range(from, Math.Min(Batch, Count - from))];
            var images = model.EncodeImage(_pictures.Images(batch, model.Architecture.Family.Normalization, device));
            var chosen = (texts is null ? classifier!.Logits(images) : nn.functional.normalize(images, dim: 1).matmul(texts.t()))
                .argmax(1)
                .cpu()
                .data<long>()
                .ToArray();
            right += batch.Zip(chosen).Count(answer => column[_answers[answer.First]] == answer.Second);
        }

        return (double)right / Count;
    }

    public void Dispose() => _pictures.Dispose();

    // Captions longer than the context are cut, as in training.
    private static Tensor CaptionEmbeddings(ClipModel model, ClipTokenizer tokenizer, string[] captions, Device device)
    {
        var context = model.Architecture.ContextLength;
        return nn.functional.normalize(
            cat([
                .. captions
                    .Chunk(Batch)
                    .Select(chunk =>
                        model.EncodeText(
                            tensor(
                                chunk.SelectMany(caption => tokenizer.Encode(caption, context, out _)).ToArray(),
                                [chunk.Length, context],
                                device: device
                            )
                        )
                    ),
            ]),
            dim: 1
        );
    }
}
