using ClipSae.Results.Autoencoders;
using ClipSae.Sae;
using ClipSae.Sae.Encoding;
using ClipSae.Tensors;
using static TorchSharp.torch;

namespace ClipSae.Web.Atlas;

/// <summary>Computes what the features of an autoencoder fire on, from the activations that its run stored.</summary>
internal static class FeatureIndexing
{
    /// <summary>Raised when the same inputs give another index.</summary>
    public const int Version = 1;

    /// <summary>
    /// Multiplications that an index may cost: some minutes on two cores. Where all images would cost more, every n-th is looked at.
    /// </summary>
    public const double Budget = 8e12;

    private const int RowsAtOnce = 2048;
    private const int ImagesOfBand = 6;
    private const int FrequentAtMost = 5;
    private const int MinForFrequency = 3;
    private const double MinLift = 1.5;
    private const double Quarter = 0.25;
    private static readonly double[] Edges = [0, 0.01, 0.1, 0.25, 0.5, 1];

    /// <param name="progress">Share that is done.</param>
    /// <param name="budget">As <see cref="Budget"/>.</param>
    public static FeatureIndex Compute(
        SparseAutoencoder sae,
        ActivationShards shards,
        ImageLibrary pictures,
        double budget,
        Action<double> progress,
        CancellationToken cancel
    )
    {
        Tensors.Compute.Device("cpu");
        using var noGrad = no_grad();
        var rows = shards.Shards.Sum(shard => Rows(shard.Path));
        var stride = Math.Max(1, (int)Math.Ceiling((double)rows * sae.Latents * sae.InputWidth / budget));
        var ids = new List<string>();
        var firing = Enumerable.Range(0, sae.Latents).Select(_ => new List<IndexedImage>()).ToArray();
        var before = 0;
        foreach (var (place, shard) in shards.Shards.Index())
        {
            using var file = ShardRows.Open([shard.Path]);
            foreach (var batch in Batches(shard, before, stride))
            {
                cancel.ThrowIfCancellationRequested();
                Add(sae, file, shard, batch, ids, firing);
                progress((place + (double)batch[^1].Image / shard.Images.Count) / shards.Shards.Count);
            }

            before += shard.Images.Count;
        }

        var (labels, words) = (Texts(ids, pictures.Label), Texts(ids, pictures.Word));
        return new FeatureIndex(
            stride,
            ids,
            [
                .. firing
                    .Index()
                    .Where(feature => feature.Item.Count > 0)
                    .Select(feature => Describe(feature.Index, feature.Item, labels, words)),
            ]
        );
    }

    private static long Rows(string path)
    {
        using var file = ShardRows.Open([path]);
        return file.Rows;
    }

    /// <summary>The chosen pictures of a shard, as many together as fit a product of matrices.</summary>
    private static IEnumerable<List<(int Image, int Start, int Count)>> Batches(ActivationShards.Shard shard, int before, int stride)
    {
        int[] images;
        using (var file = SafetensorsFile.Open(shard.Path))
        {
            images = ActivationShards.Column(file, "image_index")
                ?? throw new UserErrorException($"{shard.Path}: contains no tensor 'image_index'; extract the activations again");
        }

        var batch = new List<(int Image, int Start, int Count)>();
        foreach (
            var run in ActivationShards
                .Runs(images)
                .Where(run => run.Image >= 0 && run.Image < shard.Images.Count && (before + run.Image) % stride == 0)
        )
        {
            batch.Add(run);
            if (batch.Sum(chosen => chosen.Count) >= RowsAtOnce)
            {
                yield return batch;
                batch = [];
            }
        }

        if (batch.Count > 0)
        {
            yield return batch;
        }
    }

    private static void Add(
        SparseAutoencoder sae,
        ShardRows file,
        ActivationShards.Shard shard,
        List<(int Image, int Start, int Count)> batch,
        List<string> ids,
        List<IndexedImage>[] firing
    )
    {
        using var scope = NewDisposeScope();
        long[] rows = [.. batch.SelectMany(run => Enumerable.Range(run.Start, run.Count)).Select(row => (long)row)];
        var latents = sae.Encode(file.Read(rows));
        var at = 0;
        foreach (var run in batch)
        {
            using var ofImage = NewDisposeScope();
            var largest = latents.narrow(0, at, run.Count).amax([0]).data<float>().ToArray();
            for (var feature = 0; feature < largest.Length; feature++)
            {
                if (largest[feature] > 0)
                {
                    firing[feature].Add(new IndexedImage(ids.Count, Math.Round(largest[feature], 4)));
                }
            }

            ids.Add(shard.Images[run.Image]);
            at += run.Count;
        }
    }

    private static IndexedFeature Describe(
        int feature,
        List<IndexedImage> images,
        (string?[] OfImage, Dictionary<string, int> All) labels,
        (string?[] OfImage, Dictionary<string, int> All) words
    )
    {
        IndexedImage[] ordered = [.. images.OrderByDescending(image => image.Activation).ThenBy(image => image.Image)];
        var bands = new List<ActivationBand>();
        for (var edge = 0; edge + 1 < Edges.Length; edge++)
        {
            var (from, to) = ((int)Math.Ceiling(Edges[edge] * ordered.Length), (int)Math.Ceiling(Edges[edge + 1] * ordered.Length));
            if (to > from)
            {
                var shown = Math.Min(ImagesOfBand, to - from);
                bands.Add(
                    new ActivationBand(
                        Edges[edge],
                        Edges[edge + 1],
                        [.. Enumerable.Range(0, shown).Select(image => ordered[from + image * (to - from) / shown])]
                    )
                );
            }
        }

        IndexedImage[] strongest = [.. ordered.Take((int)Math.Ceiling(Quarter * ordered.Length))];
        return new IndexedFeature(feature, ordered.Length, bands, Frequent(strongest, labels), Frequent(strongest, words));
    }

    private static IReadOnlyList<FrequentText> Frequent(IndexedImage[] strongest, (string?[] OfImage, Dictionary<string, int> All) texts) =>
        [
            .. (
                from image in strongest
                let text = texts.OfImage[image.Image]
                where text is not null
                group text by text into same
                let share = (double)same.Count() / strongest.Length
                let overall = (double)texts.All[same.Key] / texts.OfImage.Length
                where same.Count() >= MinForFrequency && share >= MinLift * overall
                orderby share descending, same.Key
                select new FrequentText(same.Key, Math.Round(share, 4), Math.Round(overall, 4))
            ).Take(FrequentAtMost),
        ];

    private static (string?[] OfImage, Dictionary<string, int> All) Texts(List<string> ids, Func<string, string?> text)
    {
        string?[] texts = [.. ids.Select(text)];
        return (
            texts,
            texts
                .OfType<string>()
                .GroupBy(one => one, StringComparer.Ordinal)
                .ToDictionary(same => same.Key, same => same.Count(), StringComparer.Ordinal)
        );
    }
}
