using ClipSae.Sae.Encoding;
using ClipSae.Sae.Quality;
using static TorchSharp.torch;

namespace ClipSae.Sae.Tests;

public sealed class SaeQualityTests : IDisposable
{
    private readonly TorchSharp.DisposeScope _scope = NewDisposeScope();

    public void Dispose() => _scope.Dispose();

    [Fact]
    public void Figures_are_those_of_their_definitions()
    {
        var (sae, x) = (CreateSut(), Rows());
        var metrics = Measure(sae, x, [.. Enumerable.Range(0, 600).Select(i => i / 3)]).Metrics;

        // By definition, over all rows at once, in float64.
        var (data, back) = (x.to(float64), sae.Reconstruct(x).to(float64));
        var residual = data - back;
        var variance = (data - data.mean([0])).square().sum().item<double>();
        metrics.Fvu.ShouldBe(residual.square().sum().item<double>() / variance, 1e-6);
        metrics.ExplainedVariance.ShouldBe(1 - ((residual - residual.mean([0])).square().sum().item<double>() / variance), 1e-6);
        metrics.Cosine.ShouldBe(nn.functional.cosine_similarity(data, back, 1).mean().item<double>(), 1e-6);
        var latents = sae.Encode(x);
        metrics.L0.ShouldBe((latents > 0).to(float64).sum().item<double>() / 600, 1e-9);
        var density = (latents > 0).to(float64).mean([0]).data<double>().ToArray();
        metrics.Dead.ShouldBe(density.Count(d => d == 0) / 16.0, 1e-9);
        metrics.Dense.ShouldBe(density.Count(d => d > 0.1) / 16.0, 1e-9);
        metrics.DensityHistogram.Sum().ShouldBe(16);
        metrics.DensityHistogram[^1].ShouldBe(density.Count(d => d >= 0.1));
    }

    [Fact]
    public void Features_know_density_mean_activation_and_strongest_images()
    {
        var (sae, x) = (CreateSut(), Rows());
        // Images of unequal numbers of rows: 0 has one, 1 two, …
        var imageOfRow = Enumerable
            .Range(0, 34)
            .SelectMany(image => Enumerable.Repeat(image, image + 1))
            .Take(595)
            .Concat(Enumerable.Repeat(34, 5))
            .ToArray();
        var features = Measure(sae, x, imageOfRow).Features;

        var latents = sae.Encode(x);
        for (var f = 0; f < 16; f++)
        {
            var values = latents.select(1, f).data<float>().ToArray();
            var expected = values
                .Select((value, row) => (value, Image: imageOfRow[row]))
                .GroupBy(v => v.Image, v => v.value)
                .Select(g => (Image: g.Key, Activation: g.Max()))
                .Where(g => g.Activation > 0)
                .OrderByDescending(g => g.Activation)
                .Take(4)
                .ToArray();
            features[f].TopImages.Select(t => t.Image).ShouldBe(expected.Select(e => e.Image));
            features[f].TopImages.Zip(expected, (t, e) => Math.Abs(t.Activation - e.Activation)).ShouldAllBe(d => d < 1e-6);
            features[f].Density.ShouldBe(values.Count(v => v > 0) / 600.0, 1e-9);
            features[f].MeanActivation.ShouldBe(values.Any(v => v > 0) ? values.Where(v => v > 0).Average() : 0, 1e-5);
        }
    }

    [Fact]
    public void Monosemanticity_is_the_weighted_mean_cosine_of_pairs()
    {
        var (sae, x) = (CreateSut(), Rows());
        using var generator = new Generator(9, CPU);
        var embeddings = randn(600, 5, generator: generator);
        var report = SaeQuality.Measure(sae, new TensorRows(x), [.. Enumerable.Range(0, 600)], 4, embeddings, CancellationToken.None);

        // The definition (arXiv 2504.02821): a sum over all pairs.
        var unit = nn.functional.normalize(embeddings, 2, 1).to(float64);
        var cosines = unit.mm(unit.t());
        var a = sae.Encode(x).select(1, 3).to(float64).unsqueeze(1);
        var weights = a.mm(a.t());
        var expected = ((weights * cosines).triu(1).sum() / weights.triu(1).sum()).item<double>();
        report.Features[3].Monosemanticity.ShouldNotBeNull().ShouldBe(expected, 1e-6);
        report.Metrics.MonosemanticityBaseline.ShouldNotBeNull().ShouldBe((cosines.triu(1).sum() / (600 * 599 / 2)).item<double>(), 1e-9);
    }

    [Fact]
    public void A_latent_of_a_single_image_has_no_monosemanticity()
    {
        var sae = CreateSut();
        var report = SaeQuality.Measure(sae, new TensorRows(Rows().narrow(0, 0, 1)), [0], 4, ones(1, 5), CancellationToken.None);

        report.Features.ShouldAllBe(feature => feature.Monosemanticity == null);
        report.Metrics.Monosemanticity.ShouldBeNull();
    }

    [Fact]
    public void Shared_words_that_are_rare_elsewhere_name_a_feature()
    {
        IReadOnlyList<string>[] all =
        [
            ["a photo of a red cat"],
            ["a photo of a blue cat"],
            ["a photo of a dog"],
            ["a photo of a red bus"],
        ];

        FeatureNames.FromCaptions([all[0], all[1]], FeatureNames.ShareOfImages(all)).ShouldBe("cat");
        FeatureNames.FromCaptions([all[2], all[3]], FeatureNames.ShareOfImages(all)).ShouldBeNull();
    }

    [Fact]
    public void The_text_that_a_decoder_row_points_to_names_it()
    {
        var texts = eye(3) + 5;

        FeatureNames
            .FromTexts(eye(3)[TensorIndex.Slice(1, 3)], texts, ["cat", "dog", "bus"])
            .Select(name => name.Text)
            .ShouldBe(["dog", "bus"]);
    }

    private static SaeQualityReport Measure(SparseAutoencoder sae, Tensor x, int[] imageOfRow) =>
        SaeQuality.Measure(sae, new TensorRows(x), imageOfRow, 4, embeddings: null, CancellationToken.None);

    private static SparseAutoencoder CreateSut()
    {
        using var generator = new Generator(3, CPU);
        var encoder = nn.functional.normalize(randn(16, 8, generator: generator), 2, 1);
        // One latent that never fires and one that often does.
        var bias = zeros(16);
        bias[0] = -100;
        bias[1] = 2;
        return new SparseAutoencoder(new SaeVariant.TopK(3), encoder, encoder.clone(), bias, randn(8, generator: generator), 1);
    }

    private static Tensor Rows()
    {
        using var generator = new Generator(4, CPU);
        return randn(600, 8, generator: generator) + 2;
    }
}
