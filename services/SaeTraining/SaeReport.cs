using ClipSae.Results.Autoencoders;
using ClipSae.Sae.Quality;

namespace ClipSae.SaeTraining;

/// <summary>Quality and features with their numbers rounded, as the report and the tables read them.</summary>
internal static class SaeReport
{
    /// <summary>Metrics of an autoencoder.</summary>
    /// <param name="zeroShot">Zero-shot accuracy without and with the reconstruction; null where it was not measured.</param>
    public static AutoencoderMetrics Metrics(
        SaeMetrics metrics,
        AutoencoderOrigin origin,
        (double Original, double Reconstructed)? zeroShot
    ) =>
        new(
            Round(metrics.Fvu),
            Round(metrics.ExplainedVariance),
            Round(metrics.Cosine),
            Round(metrics.L0),
            Round(metrics.Dead),
            Round(metrics.Dense),
            metrics.Rows,
            origin.Variant.Name,
            origin.Latents,
            origin.Variant.K,
            origin.Steps,
            origin.Rows,
            origin.DeadAfterSamples
        )
        {
            Monosemanticity = metrics.Monosemanticity is { } score ? Round(score) : null,
            MonosemanticityBaseline = metrics.Monosemanticity is null ? null : Round(metrics.MonosemanticityBaseline ?? 0),
            ZeroShot = zeroShot is { } without ? Round(without.Original) : null,
            ZeroShotReconstructed = zeroShot is { } with ? Round(with.Reconstructed) : null,
            ZeroShotRecovered = zeroShot is var (original, reconstructed) ? Round(original > 0 ? reconstructed / original : 0) : null,
        };

    /// <summary>One entry a latent that fires.</summary>
    /// <param name="sources">Images, or captions, by number.</param>
    /// <param name="captions">Captions by the image's id.</param>
    /// <param name="names">Names by latent; null if there is none.</param>
    public static IReadOnlyList<FeatureStatistics> Features(
        IReadOnlyList<FeatureRecord> features,
        IReadOnlyList<RowSource> sources,
        IReadOnlyDictionary<string, IReadOnlyList<string>> captions,
        IReadOnlyList<string?> names
    ) =>
        [
            .. features
                .Where(feature => feature.Density > 0)
                .Select(feature => new FeatureStatistics(
                    feature.Feature,
                    Round(feature.Density),
                    Round(feature.MeanActivation),
                    feature.Monosemanticity is { } score ? Round(score) : null,
                    names[feature.Feature],
                    [
                        .. feature.TopImages.Select(top => new TopImage(sources[top.Image].Id, Round(top.Activation))
                        {
                            Caption = sources[top.Image].Text(captions),
                        }),
                    ]
                )),
        ];

    private static double Round(double value) => Math.Round(value, 6);
}
