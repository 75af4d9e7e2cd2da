using ClipSae.Clip.Cuda;
using ClipSae.Clip.Model;
using ClipSae.Clip.Preprocessing;
using ClipSae.Imaging.Decoding;
using ClipSae.Sae.Encoding;
using ClipSae.Tensors;
using static TorchSharp.torch;

namespace ClipSae.SaeTraining;

/// <summary>
/// The metric that says whether an autoencoder keeps what the model needs: zero-shot accuracy with the reconstruction put in the
/// activation's place, in the images or, at a hook point of the text tower, in the prompts, next to the accuracy without (science, section
/// 3).
/// </summary>
public static class ReconstructionCheck
{
    private const int Batch = 64;

    /// <param name="sae">On the model's device.</param>
    /// <param name="pictures">Held-out pictures with their labels.</param>
    /// <param name="prompt">Prompt of a class, with {} for its name.</param>
    /// <returns>Accuracy without and with the reconstruction, or null where fewer than two classes or no picture can be read.</returns>
    public static (double Original, double Reconstructed)? Measure(
        ClipInputs clip,
        SparseAutoencoder sae,
        ImageTable pictures,
        string prompt,
        CancellationToken cancel
    )
    {
        if (pictures.Classes.Count < 2)
        {
            return null;
        }

        using var guard = no_grad();
        using var scope = NewDisposeScope();
        using var vision = VisionPlan.Compile(clip.Model);
        var texts = clip.EncodeTexts(Prompts(pictures, prompt));
        var changedTexts = clip.Point.IsText ? clip.EncodeTexts(Prompts(pictures, prompt), sae.Reconstruct) : texts;
        Hooks? Reconstructing() => clip.Point.IsText ? null : new Hooks().Replace(clip.Point, sae.Reconstruct);
        var place = pictures
            .Classes.Select((name, i) => (name, i))
            .ToDictionary(pair => pair.name, pair => (long)pair.i, StringComparer.Ordinal);
        var (original, reconstructed, count) = (0L, 0L, 0L);
        foreach (var batch in pictures.Labelled.Chunk(Batch))
        {
            cancel.ThrowIfCancellationRequested();
            using var step = NewDisposeScope();
            var (pixels, labels) = Read(batch, place, vision.Architecture.Preparation);
            if (labels.Length == 0)
            {
                continue;
            }

            original += Correct(vision, pixels, labels, texts, hooks: null);
            reconstructed += Correct(vision, pixels, labels, changedTexts, Reconstructing());
            count += labels.Length;
        }

        return count == 0 ? null : ((double)original / count, (double)reconstructed / count);
    }

    /// <summary>The texts that classes are recognized by.</summary>
    public static IReadOnlyList<string> Prompts(ImageTable pictures, string prompt) =>
        [.. pictures.Classes.Select(name => prompt.Replace("{}", name, StringComparison.Ordinal))];

    private static long Correct(VisionPlan vision, Tensor pixels, long[] labels, Tensor texts, Hooks? hooks)
    {
        var image = nn.functional.normalize(vision.EncodeImage(pixels, hooks), 2, 1);
        return (image.mm(texts.t()).argmax(1) == tensor(labels, device: texts.device)).sum().item<long>();
    }

    /// <summary>Pictures that cannot be read are left out; extraction has named them already.</summary>
    private static (Tensor Pixels, long[] Labels) Read(
        (string Label, ReadOnlyMemory<byte> Encoded)[] batch,
        Dictionary<string, long> place,
        ImagePreparation preparation
    )
    {
        var resolution = preparation.Resolution;
        var size = 3 * resolution * resolution;
        var pixels = new float[batch.Length * size];
        var labels = new List<long>();
        foreach (var (label, encoded) in batch)
        {
            if (ImageDecoder.TryRead(encoded, limits: null, out var picture, out _))
            {
                Preprocessor.Preprocess(picture, preparation, pixels.AsSpan(labels.Count * size, size));
                labels.Add(place[label]);
            }
        }

        return (AlignedTensor.Of(pixels.AsSpan(0, labels.Count * size), labels.Count, 3, resolution, resolution), [.. labels]);
    }
}
