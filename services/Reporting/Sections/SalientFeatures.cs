using ClipSae.Pages;
using ClipSae.Reporting.Data;
using ClipSae.Results.Autoencoders;
using ClipSae.Results.Curation;

namespace ClipSae.Reporting.Sections;

/// <summary>The text-salient features with the images that excite them most, and the neurons that write them.</summary>
internal static class SalientFeatures
{
    public const int MaxFeatures = 12;
    public const int MaxImages = 8;
    private const int MaxNeurons = 12;

    public static Section? Render(ReportData data)
    {
        var features = Ranked(data.Salient);
        if (features.Length == 0)
        {
            return null;
        }

        var statistics = StatisticsOf(data).ToLookup(feature => feature.Feature);
        return new Section(
            "features",
            CausalEvidence.Helped(data.Salient) == false
                ? "Features that fire with print, without carrying the reading"
                : "Features that fire for text",
            Html.Of(
                $"The {Math.Min(MaxFeatures, features.Length)} most salient of {features.Length} features of <code>"
                    + $"{data.Salient?.Sae}</code>. Salience compares each image with itself: "
                    + $"it is high where a feature fires for the printed word, and neither for the clean image nor for the same plate "
                    + $"with unreadable strokes. {ShownImages(data, features, statistics)}"
            ),
            Html.Of(
                $"<div class=\"features\">"
                    + $"{features.Take(MaxFeatures).Select(feature => Card(feature, statistics[feature.Feature].FirstOrDefault(), data))}"
                    + $"</div>{Neurons(data.Salient)}"
            )
        );
    }

    /// <summary>Ids of the images that the section would like to show.</summary>
    public static IEnumerable<string> WantedImages(ReportData data)
    {
        var statistics = StatisticsOf(data).ToLookup(feature => feature.Feature);
        return Ranked(data.Salient)
            .Take(MaxFeatures)
            .SelectMany(feature => TopImages(statistics[feature.Feature].FirstOrDefault()).Take(MaxImages));
    }

    // The pictures are the data set's own: whether they contain print is known only where the data set says so.
    private static string ShownImages(ReportData data, SalientFeature[] features, ILookup<int, FeatureStatistics> statistics)
    {
        string[] shown =
        [
            .. features
                .Take(MaxFeatures)
                .SelectMany(feature =>
                    TopImages(statistics[feature.Feature].FirstOrDefault()).Where(data.Images.ContainsKey).Take(MaxImages)
                )
                .Distinct(StringComparer.Ordinal),
        ];
        if (shown.Length == 0 || data.Printed is not { } printed)
        {
            return "";
        }

        var count = shown.Count(printed.Contains);
        return (count, 2 * count >= shown.Length) switch
        {
            (0, _) => "Below each are the data set’s pictures that it fires on most. None of them is recorded as containing print: "
                + "check whether they show text. Where they do not, these features stand for something else that print resembles.",
            (_, true) => $"Below each are the data set’s pictures that it fires on most; {count} of the {shown.Length} are "
                + "recorded as containing print.",
            _ => $"Below each are the data set’s pictures that it fires on most. Only {count} of the {shown.Length} are recorded "
                + "as containing print: most of these features stand for other things too.",
        };
    }

    private static SalientFeature[] Ranked(SalientFindings? salient) =>
        [.. (salient?.Features ?? []).OrderByDescending(feature => feature.Salience)];

    private static IReadOnlyList<FeatureStatistics> StatisticsOf(ReportData data) =>
        data.Autoencoders.FirstOrDefault(autoencoder => autoencoder.Name == data.Salient?.Sae)?.Features ?? [];

    private static IEnumerable<string> TopImages(FeatureStatistics? statistics) => (statistics?.TopImages ?? []).Select(image => image.Id);

    private static Html Card(SalientFeature feature, FeatureStatistics? statistics, ReportData data)
    {
        var name = statistics?.Name;
        var images = TopImages(statistics).Where(data.Images.ContainsKey).Take(MaxImages).ToArray();
        var density = statistics?.Density;
        return Html.Of(
            $"""
            <article class="feature"><h4>Feature {feature.Feature}{(
                string.IsNullOrEmpty(name) ? Html.Empty : Html.Of($" <small>“{name}”</small>")
            )}</h4>
            <dl>{Entry("salience", Written.Number(feature.Salience))}{Entry("word − clean", Written.Number(feature.WordMinusClean))}{Entry(
                "word − strokes",
                Written.Number(feature.WordMinusControl)
            )}{Entry("AUROC", Written.Number(feature.Auroc))}{(
                density is null ? Html.Empty : Entry("fires on", Written.Rare(density))
            )}</dl>
            {(
                images.Length == 0
                    ? Html.Empty
                    : Html.Of(
                        $"<div class=\"strip\">{images.Select((id, place) => Html.Of($"<img src=\"{data.Images[id]}\" alt=\"Image {place + 1} of those it fires on most\" title=\"{id}\" loading=\"lazy\">"))}</div>"
                    )
            )}</article>
            """
        );
    }

    private static Html Entry(string name, string value) => Html.Of($"<div><dt>{name}</dt><dd>{value}</dd></div>");

    private static Html Neurons(SalientFindings? salient)
    {
        if (salient is not { Neurons: { Count: > 0 } neurons })
        {
            return Html.Empty;
        }

        var most = neurons.Max(neuron => neuron.Score);
        var layers = Html.Each(neurons.GroupBy(neuron => neuron.Layer).OrderBy(layer => layer.Key), layer =>
            $"""
                    <div><h4>Block {Written.Count(layer.Key)}</h4><ol class="neurons">{layer.OrderByDescending(neuron => neuron.Score).Take(
                        MaxNeurons
                    ).Select(neuron =>
                        Html.Of(
                            $"<li><span>{neuron.Neuron}</span><b><i style=\"width:{100 * Math.Clamp(neuron.Score / most, 0, 1):0.#}%\"></i></b><em>{Written.Number(neuron.Score)}</em></li>"
                        )
                    )}</ol></div>
                    """
        );
        return Html.Of(
            $"<h3>Neurons that write them <small>the top {MaxNeurons} of each block, by their direct write into the "
                + $"features</small></h3><div class=\"columns\">{layers}{Ablation(salient.NeuronAblation)}</div>"
        );
    }

    private static Html Ablation(NeuronAblation ablation)
    {
        var (chosen, random) = ablation;
        double? Mean(Func<AttackAccuracy, double> metric) => random.Count == 0 ? null : random.Average(metric);
        return Html.Of(
            $"""
            <div><h4>Ablated in the base</h4><table class="compact"><thead><tr><th>Neurons</th><th class="n">Clean</th><th class="n">Attacked</th><th class="n">Attack success rate</th></tr></thead><tbody>
            <tr><th scope="row">these</th><td class="n">{Written.Percent(chosen.Clean)}</td><td class="n">{Written.Percent(
                chosen.Attacked
            )}</td><td class="n">{Written.Percent(chosen.AttackSuccess)}</td></tr>
            <tr class="control"><th scope="row">as many at random <small>mean of {random.Count}</small></th><td class="n">{Written.Percent(
                Mean(draw => draw.Clean)
            )}</td><td class="n">{Written.Percent(Mean(draw => draw.Attacked))}</td><td class="n">{Written.Percent(
                Mean(draw => draw.AttackSuccess)
            )}</td></tr></tbody></table></div>
            """
        );
    }
}
