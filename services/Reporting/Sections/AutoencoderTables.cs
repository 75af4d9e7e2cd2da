using ClipSae.Pages;
using ClipSae.Reporting.Charts;
using ClipSae.Reporting.Data;
using ClipSae.Results.Autoencoders;

namespace ClipSae.Reporting.Sections;

/// <summary>Quality of the sparse autoencoders, one row a hook point.</summary>
internal static class AutoencoderTables
{
    // Title, the metric, and what is reported in small print below it.
    private static readonly (string Title, Func<AutoencoderMetrics, string?> Metric, Func<AutoencoderMetrics, string?> Note)[] Columns =
    [
        ("Variant", of => of.Variant, _ => null),
        ("Features", of => Written.Count(of.Latents), _ => null),
        ("k", of => Written.Count(of.K), _ => null),
        (
            "Zero-shot kept",
            of => of.ZeroShotRecovered is { } share ? Written.Percent(share) : null,
            of => $"{Written.Percent(of.ZeroShotReconstructed)} of {Written.Percent(of.ZeroShot)}"
        ),
        ("Explained variance", of => Written.Percent(of.ExplainedVariance), of => $"FVU {Written.Percent(of.Fvu)}"),
        ("Cosine", of => Written.Number(of.Cosine), _ => null),
        ("Active a row (L0)", of => Written.Number(of.L0), _ => null),
        ("Dead", of => Written.Percent(of.Dead), of => $"dense {Written.Percent(of.Dense)}"),
        (
            "Monosemanticity",
            of => of.Monosemanticity is { } cosine ? Written.Number(cosine) : null,
            of => $"any image {Written.Number(of.MonosemanticityBaseline)}"
        ),
        (
            "Training rows",
            of => of.Steps == 0 ? "trained elsewhere" : Written.Count(of.TrainingRows),
            of => $"{Written.Count(of.HeldOutRows)} held out"
        ),
        ("Steps", of => of.Steps == 0 ? null : Written.Count(of.Steps), of => $"dead after {Written.Count(of.DeadAfterSamples)} rows"),
    ];

    public static Section? Render(ReportData data)
    {
        if (data.Autoencoders.Count == 0)
        {
            return null;
        }

        var columns = Columns
            .Where(column => data.Autoencoders.Any(autoencoder => column.Metric(autoencoder.Metrics) is not null))
            .ToArray();
        var table = Html.Of(
            $"""
            <table class="autoencoders"><thead><tr><th>Hook point</th>{columns.Select(column =>
                Html.Of($"<th class=\"n\">{column.Title}</th>")
            )}</tr></thead>
            <tbody>{data.Autoencoders.Select(autoencoder =>
                Row(autoencoder, columns, autoencoder.Name == data.Salient?.Sae)
            )}</tbody></table>
            """
        );
        return new Section(
            "sae",
            "Sparse autoencoders",
            Html.Of(
                $"{Useless(data)}Measured on rows that training did not see, in the space of the activations themselves. "
                    + $"Which hook point is used is decided by the causal sweep below, not by these figures. "
                    + $"Zero-shot kept is the accuracy with the reconstruction in the activations’ place over the accuracy without it. "
                    + $"Dead features fire on no held-out row, dense ones on more than a tenth of them; "
                    + $"in training, a feature counts as dead after so many rows without firing. Monosemanticity is how alike the "
                    + $"images are that a feature fires on, as a cosine; below it, how alike any images are."
            ),
            Html.Of($"{Html.Wide("Autoencoders", table)}<div class=\"charts\">{data.Autoencoders.Select(Density)}</div>")
        );
    }

    private static Html Useless(ReportData data)
    {
        string[] names =
        [
            .. data.Autoencoders.Where(autoencoder => autoencoder.Metrics.ExplainedVariance < 0).Select(autoencoder => autoencoder.Name),
        ];
        return names.Length == 0
            ? Html.Empty
            : Html.Of(
                $"<strong>{string.Join(", ", names)}: the explained variance is negative, "
                    + $"so these reconstruct worse than the mean would, and their features mean nothing.</strong> "
            );
    }

    private static Html Row(
        AutoencoderRecord autoencoder,
        (string Title, Func<AutoencoderMetrics, string?> Metric, Func<AutoencoderMetrics, string?> Note)[] columns,
        bool used
    ) =>
        Html.Of(
            $"""
            <tr class="{(used ? "chosen" : "")}"><th scope="row"><code>{autoencoder.Name}</code>{(
                used ? Html.Of($" <em class=\"badge\">used</em>") : Html.Empty
            )}</th>{columns.Select(column => Cell(column.Metric(autoencoder.Metrics), column.Note(autoencoder.Metrics)))}</tr>
            """
        );

    private static Html Cell(string? metric, string? note) =>
        Html.Of(
            $"<td class=\"n\">{metric ?? Written.Missing}"
                + $"{(metric is null || note is null ? Html.Empty : Html.Of($"<span class=\"ci\">{note}</span>"))}</td>"
        );

    private static Html Density(AutoencoderRecord autoencoder) =>
        Histogram.Render(
            $"How often features fire, {autoencoder.Name}",
            [.. autoencoder.Features.Select(feature => feature.Density).Where(density => density > 0)]
        );
}
