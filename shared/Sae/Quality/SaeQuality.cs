using ClipSae.Sae.Encoding;
using static TorchSharp.torch;

namespace ClipSae.Sae.Quality;

/// <summary>Measures an autoencoder on rows that it was not trained on, in one streaming pass.</summary>
public static class SaeQuality
{
    // On in more than a tenth of the rows, a latent says little about any of them.
    private const double DenseAbove = 0.1;
    private const int ChunkRows = 2048;
    private static readonly double[] HistogramEdges = [1e-4, 1e-3, 1e-2, 1e-1];

    /// <param name="rows">Held-out activations; rows of one image follow each other.</param>
    /// <param name="imageOfRow">For each row the number of its image.</param>
    /// <param name="topImages">Images kept a latent.</param>
    /// <param name="embeddings">Embeddings of the images [images, e] for the monosemanticity score, or null to leave it out.</param>
    public static SaeQualityReport Measure(
        SparseAutoencoder sae,
        IActivationRows rows,
        int[] imageOfRow,
        int topImages,
        Tensor? embeddings,
        CancellationToken cancel
    )
    {
        using var guard = no_grad();
        using var scope = NewDisposeScope();
        var reconstruction = new ReconstructionTotals(sae);
        var images = new ImageTotals(sae.Latents, topImages, embeddings);
        for (var start = 0; start < imageOfRow.Length; )
        {
            cancel.ThrowIfCancellationRequested();
            using var step = NewDisposeScope();
            var end = EndOfWholeImages(imageOfRow, start);
            var x = rows.ReadRange(start, end - start);
            var latents = sae.Encode(x);
            reconstruction.Add(x, latents);
            images.Add(latents, imageOfRow[start..end]);
            start = end;
        }

        var density = reconstruction.Density();
        var activation = reconstruction.MeanActivation();
        var scores = images.Monosemanticity();
        var top = images.TopImages();
        var features = Enumerable
            .Range(0, sae.Latents)
            .Select(f => new FeatureRecord(
                f,
                density[f],
                activation[f],
                scores?[f] is { } score && double.IsFinite(score) ? score : null,
                top[f]
            ))
            .ToArray();
        var known = features.Where(f => f.Monosemanticity is not null).Select(f => f.Monosemanticity!.Value).ToArray();
        return new SaeQualityReport(
            new SaeMetrics(
                imageOfRow.Length,
                reconstruction.Fvu(),
                reconstruction.ExplainedVariance(),
                reconstruction.Cosine(),
                density.Sum(),
                density.Count(d => d == 0) / (double)sae.Latents,
                density.Count(d => d > DenseAbove) / (double)sae.Latents,
                Histogram(density),
                known.Length == 0 ? null : known.Average(),
                images.MonosemanticityBaseline()
            ),
            features
        );
    }

    private static int EndOfWholeImages(int[] imageOfRow, int start)
    {
        var end = Math.Min(start + ChunkRows, imageOfRow.Length);
        while (end < imageOfRow.Length && imageOfRow[end] == imageOfRow[end - 1])
        {
            end++;
        }

        return end;
    }

    private static int[] Histogram(double[] density)
    {
        var counts = new int[HistogramEdges.Length + 2];
        foreach (var d in density)
        {
            counts[d == 0 ? 0 : 1 + HistogramEdges.Count(edge => d >= edge)]++;
        }

        return counts;
    }
}
