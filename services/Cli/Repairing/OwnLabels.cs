using System.Text;
using System.Text.Json.Nodes;
using ClipSae.Artifacts;
using ClipSae.Clip.Cuda;
using ClipSae.Clip.Model;
using ClipSae.Clip.Preprocessing;
using ClipSae.Clip.Tokenizers;
using ClipSae.Datasets.Sources;
using ClipSae.Imaging.Decoding;
using ClipSae.Imaging.Pixels;
using static TorchSharp.torch;

namespace ClipSae.Cli.Repairing;

/// <summary>
/// What a model itself takes pictures for, where nobody has labelled them: the words that its vocabulary knows whole, or those given, are
/// its classes. They say which print fools it and what it believed before, which is all that distillation needs to be judged by.
/// </summary>
/// <param name="Images">Paths relative to the folder and the class of each.</param>
/// <param name="Classes">The words that pictures are taken for, most frequent first.</param>
/// <param name="Unreadable">Pictures that do not decode.</param>
/// <param name="LeftOut">Files that are pictures of a kind that is not read, and links that lead back.</param>
internal sealed record OwnLabels(
    IReadOnlyList<(string Path, string Label)> Images,
    IReadOnlyList<string> Classes,
    int Unreadable,
    IReadOnlyList<ImportProblem> LeftOut
)
{
    /// <summary>Words looked at where none are given: the vocabulary lists them by how often its corpus had them.</summary>
    private const int MaxWords = 2_000;

    private const int MaxClasses = 64;
    private const int Batch = 128;
    private const string Template = "a photo of a {}";

    /// <summary>Asks the model about every picture below a folder.</summary>
    /// <param name="words">Words to choose among; null takes the vocabulary's.</param>
    /// <exception cref="UserErrorException">There are no pictures, or the model takes all for the same.</exception>
    public static OwnLabels Find(
        string folder,
        string weights,
        ClipTokenizer tokenizer,
        IReadOnlyList<string>? words,
        Device device,
        CancellationToken cancel
    )
    {
        using var quiet = inference_mode();
        using var scope = NewDisposeScope();
        var listing = ImageListing.Of(folder);
        var pictures = listing.Images;
        if (pictures.Count == 0)
        {
            var others =
                listing.LeftOut.Count == 0
                    ? ""
                    : $"; {listing.LeftOut.Count} other files are there, first {listing.LeftOut[0].Where}: {listing.LeftOut[0].Detail}";
            throw new UnsuitableDatasetException(
                $"--images {folder}: it contains no pictures in a supported format ({ImageListing.Extensions}){others}"
            );
        }

        using var model = ClipModel.Load(weights, device);
        using var vision = VisionPlan.Compile(model);
        string[] asked = [.. words ?? WholeWords(tokenizer)];
        using var all = ZeroShotClassifier.Create(model, tokenizer, asked, [Template]);
        var (read, embeddings) = Embed(folder, pictures, vision, device, cancel);
        var classes = Chosen(all.Logits(embeddings), asked, Math.Max(2, read.Count / 500));
        UserErrorException.ThrowIf(
            classes.Length < 2,
            $"--images: the model classifies all {read.Count} pictures that could be read "
                + $"as {(classes.Length == 0 ? "nothing in common" : $"only '{classes[0]}'")}; list what they show with --words"
        );

        using var chosen = ZeroShotClassifier.Create(model, tokenizer, classes, [Template]);
        var decisions = chosen.Logits(embeddings).argmax(1).cpu().data<long>().ToArray();
        return new OwnLabels(
            [.. read.Select((path, i) => (path, classes[decisions[i]]))],
            classes,
            pictures.Count - read.Count,
            listing.LeftOut
        );
    }

    /// <summary>Writes them as a caption file.</summary>
    public void Save(string path)
    {
        var items = new JsonArray([
            .. Images.Select(picture =>
                (JsonNode)
                    new JsonObject
                    {
                        ["path"] = picture.Path,
                        ["label"] = picture.Label,
                        ["captions"] = new JsonArray(Template.Replace("{}", picture.Label, StringComparison.Ordinal)),
                    }
            ),
        ]);
        AtomicFile.Write(path, Encoding.UTF8.GetBytes(items.ToJsonString()));
    }

    /// <summary>Words of three letters and more that are one token, the most frequent first.</summary>
    internal static IEnumerable<string> WholeWords(ClipTokenizer tokenizer) =>
        VocabularyWords.Latin(tokenizer).Where(word => !Template.Contains(word, StringComparison.Ordinal)).Take(MaxWords);

    private static string[] Chosen(Tensor logits, string[] words, int min) =>
        [
            .. logits
                .argmax(1)
                .cpu()
                .data<long>()
                .ToArray()
                .GroupBy(word => word)
                .Where(group => group.Count() >= min)
                .OrderByDescending(group => group.Count())
                .ThenBy(group => group.Key)
                .Take(MaxClasses)
                .Select(group => words[group.Key]),
        ];

    private static (List<string> Read, Tensor Embeddings) Embed(
        string folder,
        IReadOnlyList<string> pictures,
        VisionPlan vision,
        Device device,
        CancellationToken cancel
    )
    {
        var read = new List<string>();
        var embeddings = new List<Tensor>();
        foreach (var chunk in pictures.Chunk(Batch))
        {
            cancel.ThrowIfCancellationRequested();
            using var step = NewDisposeScope();
            var decoded = new List<DecodedImage>();
            foreach (var path in chunk)
            {
                if (ImageDecoder.TryRead(File.ReadAllBytes(Path.Combine(folder, path)), DecodeLimits.Default, out var picture, out _))
                {
                    decoded.Add(picture);
                    read.Add(path);
                }
            }

            if (decoded.Count > 0)
            {
                var pixels = PixelLoader.Load(decoded.Count, i => decoded[i], vision.Architecture.Preparation, cancel);
                embeddings.Add(
                    vision.EncodeImage(vision.Architecture.Family.Normalization.Apply(pixels.to(device))).MoveToOuterDisposeScope()
                );
            }
        }

        return read.Count > 0
            ? (read, cat(embeddings))
            : throw new UserErrorException($"--images {folder}: none of {pictures.Count} pictures can be read");
    }
}
