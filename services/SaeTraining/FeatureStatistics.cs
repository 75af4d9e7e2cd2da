using System.Text.Json.Nodes;
using ClipSae.Sae;
using static TorchSharp.torch;

namespace ClipSae.SaeTraining;

/// <summary>Quality on held-out rows, in the input's own space, and what each feature does (science, section 3).</summary>
public static class FeatureStatistics
{
    private const int Chunk = 2048;

    // A latent that is on in more than a tenth of the rows is dense: it says little about any of them.
    private const double DenseAbove = 0.1;

    /// <summary>Figures and per-feature entries of an autoencoder.</summary>
    /// <returns><c>figures</c>: fvu, explainedVariance, cosine, l0, dead, dense; <c>features</c>: density, meanActivation, topImages and name of each.</returns>
    public static (JsonObject Figures, JsonArray Features) Measure(SparseAutoencoder sae, ActivationSet data, int topImages, CancellationToken cancel)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        var rows = data.HeldOut;
        var mean = Mean(rows);
        var fired = zeros(sae.Latents, ScalarType.Float64);
        var sums = zeros(sae.Latents, ScalarType.Float64);
        var perImage = new Dictionary<int, Tensor>();
        double residual = 0, total = 0, cosine = 0;
        for (long from = 0; from < rows.Rows; from += Chunk)
        {
            cancel.ThrowIfCancellationRequested();
            using var step = NewDisposeScope();
            var x = rows.ReadRange(from, (int)Math.Min(Chunk, rows.Rows - from));
            var latents = sae.Encode(x);
            var back = sae.Decode(latents);
            residual += (x - back).square().sum().to(ScalarType.Float64).item<double>();
            total += (x - mean).square().sum().to(ScalarType.Float64).item<double>();
            cosine += nn.functional.cosine_similarity(x, back, 1).sum().to(ScalarType.Float64).item<double>();
            fired.add_((latents > 0).sum([0]).to(ScalarType.Float64));
            sums.add_(latents.sum([0]).to(ScalarType.Float64));
            Strongest(latents, from, data.HeldOutImage, perImage);
        }

        var density = (fired / rows.Rows).data<double>().ToArray();
        var activation = sums.data<double>().ToArray();
        var count = fired.data<double>().ToArray();
        var figures = new JsonObject
        {
            ["fvu"] = Round(residual / total),
            ["explainedVariance"] = Round(1 - (residual / total)),
            ["cosine"] = Round(cosine / rows.Rows),
            ["l0"] = Round(count.Sum() / rows.Rows),
            ["latents"] = sae.Latents,
            ["dead"] = Round(density.Count(d => d == 0) / (double)sae.Latents),
            ["dense"] = Round(density.Count(d => d > DenseAbove) / (double)sae.Latents),
            ["heldOutRows"] = rows.Rows,
        };
        var top = TopOf(perImage, sae.Latents, topImages);
        var features = new JsonArray([.. Enumerable.Range(0, sae.Latents).Where(f => density[f] > 0).Select(f => (JsonNode)new JsonObject
        {
            ["feature"] = f,
            ["density"] = Round(density[f]),
            ["meanActivation"] = Round(activation[f] / count[f]),
            ["name"] = Name([.. top[f].Select(i => data.Images[i])], data.Captions),
            ["topImages"] = new JsonArray([.. top[f].Select(i => (JsonNode)data.Images[i])]),
        })]);
        foreach (var strongest in perImage.Values)
        {
            strongest.Dispose();
        }

        return (figures, features);
    }

    /// <summary>What the captions of a feature's strongest images share: the words in most of them that are rarest over all captions.</summary>
    internal static string? Name(IReadOnlyList<string> images, IReadOnlyDictionary<string, IReadOnlyList<string>> captions)
    {
        var described = images.Where(captions.ContainsKey).Select(i => captions[i].SelectMany(Words).ToHashSet(StringComparer.Ordinal)).ToArray();
        if (described.Length == 0)
        {
            return null;
        }

        var shared = described.SelectMany(w => w).GroupBy(w => w, StringComparer.Ordinal).Where(g => 2 * g.Count() > described.Length)
            .OrderByDescending(g => g.Count()).ThenBy(g => g.Key, StringComparer.Ordinal).Take(2).Select(g => g.Key).ToArray();
        return shared.Length == 0 ? null : string.Join(", ", shared);
    }

    private static readonly HashSet<string> Fillers = new(["a", "an", "the", "of", "photo", "that", "says", "is", "in", "on", "with", "and", "to"], StringComparer.Ordinal);

    private static IEnumerable<string> Words(string caption) =>
        caption.ToLowerInvariant().Split([' ', ',', '.', '"', ';', ':', '!', '?'], StringSplitOptions.RemoveEmptyEntries).Where(w => !Fillers.Contains(w));

    private static Tensor Mean(IActivationRows rows)
    {
        using var scope = NewDisposeScope();
        var sum = zeros(rows.Width, ScalarType.Float64);
        for (long from = 0; from < rows.Rows; from += Chunk)
        {
            sum.add_(rows.ReadRange(from, (int)Math.Min(Chunk, rows.Rows - from)).to(ScalarType.Float64).sum([0]));
        }

        return (sum / rows.Rows).to(ScalarType.Float32).MoveToOuterDisposeScope();
    }

    /// <summary>Keeps each image's largest activation of every latent; rows of an image are consecutive.</summary>
    private static void Strongest(Tensor latents, long firstRow, IReadOnlyList<int> imageOfRow, Dictionary<int, Tensor> perImage)
    {
        for (var row = 0; row < latents.shape[0];)
        {
            var image = imageOfRow[(int)firstRow + row];
            var end = row;
            while (end < latents.shape[0] && imageOfRow[(int)firstRow + end] == image)
            {
                end++;
            }

            var strongest = latents.narrow(0, row, end - row).amax(new long[] { 0 });
            if (perImage.Remove(image, out var before))
            {
                strongest = maximum(strongest, before);
                before.Dispose();
            }

            perImage[image] = strongest.DetachFromDisposeScope();
            row = end;
        }
    }

    private static int[][] TopOf(Dictionary<int, Tensor> perImage, int latents, int count)
    {
        using var scope = NewDisposeScope();
        var images = perImage.Keys.Order().ToArray();
        var (values, indices) = stack([.. images.Select(i => perImage[i])]).topk(Math.Min(count, images.Length), 0);
        var value = values.data<float>().ToArray();
        var index = indices.data<long>().ToArray();
        var k = (int)values.shape[0];
        return [.. Enumerable.Range(0, latents).Select(f => Enumerable.Range(0, k).Where(r => value[(r * latents) + f] > 0).Select(r => images[index[(r * latents) + f]]).ToArray())];
    }

    private static double Round(double value) => Math.Round(value, 6);
}
