using ClipSae.Datasets;
using ClipSae.Pipeline.Stages;
using ClipSae.Results;
using ClipSae.Sae;
using ClipSae.Tensors;
using static TorchSharp.torch;

namespace ClipSae.SaeTraining;

/// <summary>
/// The activations of one hook point over all shards, memory-mapped, split by image into rows for training and rows held out, so that no
/// token of a held-out image, or of its captions, is trained on.
/// </summary>
public sealed class ActivationSet : IDisposable
{
    private readonly ShardRows _rows;
    private readonly Tensor? _embeddings;

    private ActivationSet(
        ShardRows rows,
        int[] imageOfRow,
        IReadOnlyList<string> images,
        int[] sourceOfRow,
        IReadOnlyList<RowSource> sources,
        HashSet<int> heldOut,
        Tensor? embeddings
    )
    {
        (_rows, Sources, _embeddings) = (rows, sources, embeddings);
        Training = new ChosenRows(rows, RowsWhere(imageOfRow, image => !heldOut.Contains(image)));
        var held = RowsWhere(imageOfRow, heldOut.Contains);
        HeldOut = new ChosenRows(rows, held);
        HeldOutSource = [.. held.Select(row => sourceOfRow[row])];
        HeldOutIds = heldOut.Select(image => images[image]).ToHashSet(StringComparer.Ordinal);
    }

    public IActivationRows Training { get; }

    public IActivationRows HeldOut { get; }

    /// <summary>For each held-out row, its place in <see cref="Sources"/>.</summary>
    public int[] HeldOutSource { get; }

    /// <summary>All images, or at a hook point of the text tower all captions.</summary>
    public IReadOnlyList<RowSource> Sources { get; }

    /// <summary>Ids of the images held out.</summary>
    public IReadOnlySet<string> HeldOutIds { get; }

    /// <summary>Embeddings of all sources [sources, e], where the run extracts them; else null.</summary>
    public Tensor? Embeddings => _embeddings;

    /// <summary>
    /// Reads inputs <c>activations/SHARD</c>, <c>ids/SHARD</c> and, if there are any, <c>embeddings/SHARD</c>, of captions
    /// <c>text-embeddings/SHARD</c>.
    /// </summary>
    /// <exception cref="UserErrorException">No rows, too few to hold any out, or shards that do not fit together.</exception>
    public static async Task<ActivationSet> ReadAsync(StageContext context, SaeOptions options, CancellationToken cancel)
    {
        var (paths, imageOfRow, images) = (new List<string>(), new List<int>(), new List<string>());
        var captionOfRow = new List<int>();
        foreach (var (shard, artifact) in context.InputsUnder(InputNames.Activations))
        {
            paths.Add(await context.Artifacts.FetchAsync(artifact, cancel));
            var ids = await ReadIdsAsync(context, shard, cancel);
            var (ofImages, ofCaptions) = Indices(paths[^1]);
            foreach (var image in ofImages)
            {
                imageOfRow.Add(
                    image >= 0 && image < ids.Count
                        ? images.Count + image
                        : throw new UserErrorException(
                            $"{context.Stage}/{context.Unit}: shard {shard} names image {image} of {ids.Count}; extract it again"
                        )
                );
            }

            captionOfRow.AddRange(ofCaptions);

            images.AddRange(ids);
        }

        var heldOut = HeldOutImages(images.Count, options);
        UserErrorException.ThrowIf(
            imageOfRow.Count < 2 || imageOfRow.All(heldOut.Contains) || !imageOfRow.Any(heldOut.Contains),
            $"{context.Stage}/{context.Unit}: {imageOfRow.Count} rows of {images.Count} images are too few to train on and "
                + $"hold some out; add images"
        );

        var (sourceOfRow, sources) = SourcesOf(imageOfRow, captionOfRow, images);
        var embeddings = await ReadEmbeddingsAsync(
            context,
            captionOfRow.Count > 0 ? InputNames.TextEmbeddings : InputNames.Embeddings,
            sources.Count,
            cancel
        );
        return new ActivationSet(ShardRows.Open(paths), [.. imageOfRow], images, sourceOfRow, sources, heldOut, embeddings);
    }

    public void Dispose()
    {
        _rows.Dispose();
        _embeddings?.Dispose();
    }

    private static async Task<IReadOnlyList<string>> ReadIdsAsync(StageContext context, string shard, CancellationToken cancel) =>
        (
            await ResultFormats.ShardImages.ReadAsync(context.Input(OutputNames.Ids + "/" + shard), context.Artifacts.FetchAsync, cancel)
        ).Images;

    private static HashSet<int> HeldOutImages(int images, SaeOptions options)
    {
        var order = Enumerable.Range(0, images).ToArray();
        new SeededRandom(options.Seed, "held-out images").Shuffle(order);
        return [.. order.Take((int)Math.Ceiling(options.HeldOutShare * images))];
    }

    // Rows of a caption follow each other, and every caption has one at least.
    private static (int[] OfRow, IReadOnlyList<RowSource> All) SourcesOf(
        List<int> imageOfRow,
        List<int> captionOfRow,
        IReadOnlyList<string> images
    )
    {
        if (captionOfRow.Count != imageOfRow.Count)
        {
            return ([.. imageOfRow], [.. images.Select(id => new RowSource(id, null))]);
        }

        var (ofRow, all) = (new int[imageOfRow.Count], new List<RowSource>());
        for (var row = 0; row < ofRow.Length; row++)
        {
            if (row == 0 || imageOfRow[row] != imageOfRow[row - 1] || captionOfRow[row] != captionOfRow[row - 1])
            {
                all.Add(new RowSource(images[imageOfRow[row]], captionOfRow[row]));
            }

            ofRow[row] = all.Count - 1;
        }

        return (ofRow, all);
    }

    private static async Task<Tensor?> ReadEmbeddingsAsync(StageContext context, string inputs, int sources, CancellationToken cancel)
    {
        var paths = new List<string>();
        foreach (var (_, artifact) in context.InputsUnder(inputs))
        {
            paths.Add(await context.Artifacts.FetchAsync(artifact, cancel));
        }

        return ReadEmbeddings(paths, sources);
    }

    private static Tensor? ReadEmbeddings(IReadOnlyList<string> paths, int sources)
    {
        using var scope = NewDisposeScope();
        var parts = paths
            .Select(path =>
            {
                using var file = SafetensorsFile.Open(path);
                return file.Read("activations").to(float32);
            })
            .ToList();
        return parts.Sum(part => part.shape[0]) == sources ? cat(parts).DetachFromDisposeScope() : null;
    }

    /// <returns>Image and, of a text's rows, caption of each row.</returns>
    private static (int[] Images, int[] Captions) Indices(string path)
    {
        const string Captions = "caption_index";
        using var scope = NewDisposeScope();
        using var file = SafetensorsFile.Open(path);
        int[] Column(string name) => file.Read(name).data<int>().ToArray();
        return (Column("image_index"), file.Entries.ContainsKey(Captions) ? Column(Captions) : []);
    }

    private static long[] RowsWhere(int[] imageOfRow, Func<int, bool> chosen) =>
        [.. Enumerable.Range(0, imageOfRow.Length).Where(row => chosen(imageOfRow[row])).Select(row => (long)row)];
}
