using ClipSae.Contracts;
using ClipSae.Datasets;
using ClipSae.Pipeline;
using ClipSae.Results;
using ClipSae.Sae;
using ClipSae.Tensors;
using static TorchSharp.torch;

namespace ClipSae.SaeTraining;

/// <summary>
/// The activations of one hook point over all shards, memory-mapped, split by image into rows for training and rows held out, so that no
/// token of a held-out image is trained on.
/// </summary>
public sealed class ActivationSet : IDisposable
{
    private readonly ShardRows rows;
    private readonly Tensor? embeddings;

    private ActivationSet(ShardRows rows, int[] imageOfRow, IReadOnlyList<string> images, HashSet<int> heldOut, Tensor? embeddings)
    {
        (this.rows, Images, this.embeddings) = (rows, images, embeddings);
        Training = new ChosenRows(rows, RowsWhere(imageOfRow, image => !heldOut.Contains(image)));
        var held = RowsWhere(imageOfRow, heldOut.Contains);
        HeldOut = new ChosenRows(rows, held);
        HeldOutImage = [.. held.Select(row => imageOfRow[row])];
        HeldOutIds = heldOut.Select(image => images[image]).ToHashSet(StringComparer.Ordinal);
    }

    public IActivationRows Training { get; }

    public IActivationRows HeldOut { get; }

    /// <summary>For each held-out row, its image in <see cref="Images"/>.</summary>
    public int[] HeldOutImage { get; }

    /// <summary>Ids of all images.</summary>
    public IReadOnlyList<string> Images { get; }

    /// <summary>Ids of the images held out.</summary>
    public IReadOnlySet<string> HeldOutIds { get; }

    /// <summary>Embeddings of all images [images, e], where the run extracts them; else null.</summary>
    public Tensor? Embeddings => embeddings;

    /// <summary>Reads inputs <c>activations/SHARD</c>, <c>ids/SHARD</c> and, where there are any, <c>embeddings/SHARD</c>.</summary>
    /// <exception cref="UserErrorException">No rows, too few to hold any out, or shards that do not fit together.</exception>
    public static async Task<ActivationSet> ReadAsync(StageContext context, SaeOptions options, CancellationToken cancel)
    {
        var (paths, imageOfRow, images) = (new List<string>(), new List<int>(), new List<string>());
        foreach (var (shard, artifact) in context.InputsUnder("activations"))
        {
            paths.Add(await context.Artifacts.FetchAsync(artifact, cancel));
            var ids = await ReadIdsAsync(context, shard, cancel);
            foreach (var image in ImageIndices(paths[^1]))
            {
                imageOfRow.Add(image >= 0 && image < ids.Count
                    ? images.Count + image
                    : throw new UserErrorException($"{context.Stage}/{context.Unit}: shard {shard} names image {image} of {ids.Count}; extract it again"));
            }

            images.AddRange(ids);
        }

        var heldOut = HeldOutImages(images.Count, options);
        if (imageOfRow.Count < 2 || imageOfRow.All(heldOut.Contains) || !imageOfRow.Any(heldOut.Contains))
        {
            throw new UserErrorException(
                $"{context.Stage}/{context.Unit}: {imageOfRow.Count} rows of {images.Count} images are too few to train on and hold some out; add images");
        }

        var embeddings = await ReadEmbeddingsAsync(context, images.Count, cancel);
        return new ActivationSet(ShardRows.Open(paths), [.. imageOfRow], images, heldOut, embeddings);
    }

    public void Dispose()
    {
        rows.Dispose();
        embeddings?.Dispose();
    }

    private static async Task<IReadOnlyList<string>> ReadIdsAsync(StageContext context, string shard, CancellationToken cancel) =>
        (await ResultFormats.ShardImages.ReadAsync(context.Input("ids/" + shard), context.Artifacts.FetchAsync, cancel)).Images;

    private static HashSet<int> HeldOutImages(int images, SaeOptions options)
    {
        var order = Enumerable.Range(0, images).ToArray();
        new SeededRandom(options.Seed, "held-out images").Shuffle(order);
        return [.. order.Take((int)Math.Ceiling(options.HeldOutShare * images))];
    }

    private static async Task<Tensor?> ReadEmbeddingsAsync(StageContext context, int images, CancellationToken cancel)
    {
        var paths = new List<string>();
        foreach (var (_, artifact) in context.InputsUnder("embeddings"))
        {
            paths.Add(await context.Artifacts.FetchAsync(artifact, cancel));
        }

        return ReadEmbeddings(paths, images);
    }

    private static Tensor? ReadEmbeddings(IReadOnlyList<string> paths, int images)
    {
        using var scope = NewDisposeScope();
        var parts = paths.Select(path =>
        {
            using var file = SafetensorsFile.Open(path);
            return file.Read("activations").to(float32);
        }).ToList();
        return parts.Sum(part => part.shape[0]) == images ? cat(parts).DetachFromDisposeScope() : null;
    }

    private static int[] ImageIndices(string path)
    {
        using var scope = NewDisposeScope();
        using var file = SafetensorsFile.Open(path);
        return file.Read("image_index").data<int>().ToArray();
    }

    private static long[] RowsWhere(int[] imageOfRow, Func<int, bool> chosen) =>
        [.. Enumerable.Range(0, imageOfRow.Length).Where(row => chosen(imageOfRow[row])).Select(row => (long)row)];
}
