using ClipSae.Pages;
using ClipSae.Results.Autoencoders;
using ClipSae.Web.Shell;

namespace ClipSae.Web.Atlas;

/// <summary>The parts of a feature's page that the server and the static atlas share.</summary>
internal sealed class FeatureParts(AtlasVolume volume, FeatureIndex? index, AtlasPlaces places)
{
    private const int Neighbours = 8;
    private const int TopImages = 8;
    private const int ImagesOfCard = 6;

    /// <summary>A feature in a list.</summary>
    /// <param name="activation">How strongly it fires on what was searched for; null where that is not the list's subject.</param>
    public Html Card(FeatureStatistics feature, double? activation = null)
    {
        var salience = volume.Salience(feature.Feature);
        return Html.Of(
            $"""
            <a class="card" href="{places.Feature(volume, feature.Feature) ?? ""}"><span class="head"><b>Feature {feature.Feature}</b>{(
                string.IsNullOrEmpty(feature.Name) ? Html.Empty : Html.Of($" <i>{feature.Name}</i>")
            )}{(salience is null ? Html.Empty : Html.Of($"<span class=\"badge\">reads text</span>"))}</span>
            <span class="strip">{feature.TopImages.Take(ImagesOfCard).Select(image =>
                Html.Of($"<img src=\"{places.Image(volume, image.Id)}\" alt=\"\" loading=\"lazy\" width=\"64\" height=\"64\">")
            )}</span>
            <span class="figures">{(
                activation is null ? Html.Empty : Html.Of($"<b>activation {Written.Number(activation)}</b> · ")
            )}density {Written.Rare(feature.Density)}{(
                salience is null ? "" : $" · salience {Written.Number(salience.Salience)} · AUROC {Written.Number(salience.Auroc)}"
            )}{(feature.Monosemanticity is null ? "" : $" · monosemanticity {Written.Number(feature.Monosemanticity)}")}</span></a>
            """
        );
    }

    public Html Title(FeatureStatistics feature) =>
        Html.Of(
            $"<div class=\"title\"><h1>Feature {feature.Feature}</h1>"
                + $"{(string.IsNullOrEmpty(feature.Name) ? Html.Empty : Html.Of($"<i>{feature.Name}</i>"))}"
                + $"{(volume.Salience(feature.Feature) is null ? Html.Empty : Html.Of($"<span class=\"badge\">reads text</span>"))}</div>"
        );

    public Html Metrics(FeatureStatistics feature)
    {
        var salience = volume.Salience(feature.Feature);
        var indexed = Indexed(feature);
        (string Name, string? Value)[] metrics =
        [
            ("density", Written.Rare(feature.Density)),
            ("mean activation", Written.Number(feature.MeanActivation)),
            ("monosemanticity", feature.Monosemanticity is null ? null : Written.Number(feature.Monosemanticity)),
            ("text salience", salience is null ? null : Written.Number(salience.Salience)),
            ("word − clean", salience is null ? null : Written.Number(salience.WordMinusClean)),
            ("word − unreadable strokes", salience is null ? null : Written.Number(salience.WordMinusControl)),
            ("AUROC", salience is null ? null : Written.Number(salience.Auroc)),
            ("images it fires on", indexed is null ? null : Written.Count(indexed.Fires)),
        ];
        var shown = Html.Each(metrics.Where(metric => metric.Value is not null), metric =>
            $"<div><dt>{metric.Name}</dt><dd>{metric.Value}</dd></div>"
        );
        return Html.Of($"<dl class=\"numbers\">{shown}</dl>");
    }

    /// <summary>Classes and printed words; nothing without an index.</summary>
    public Html Answers(FeatureStatistics feature)
    {
        if (Indexed(feature) is not { } indexed || indexed.Classes.Count + indexed.Words.Count == 0)
        {
            return Html.Empty;
        }

        var rows = indexed
            .Classes.Select(frequent => Row("class", frequent))
            .Concat(indexed.Words.Select(frequent => Row("printed word", frequent)));
        var table = PageShell.Table(
            "What it answers to",
            "answers",
            [
                PageShell.Heading("Class or word"),
                PageShell.Heading("Kind"),
                PageShell.NumberHeading("Where it fires most"),
                PageShell.NumberHeading("All images"),
            ],
            rows
        );
        return Html.Of(
            $"<section><h2>What it answers to</h2><p class=\"note\">Shares among the quarter of its images on which it fires most, at "
                + $"least one and a half times as frequent there as overall.</p>{table}</section>"
        );

        static Html Row(string kind, FrequentText frequent) =>
            Html.Of(
                $"<tr><th scope=\"row\">{frequent.Text}</th><td>{kind}</td><td class=\"n\">{Written.Percent(frequent.Share)}</td>"
                    + $"<td class=\"n\">{Written.Percent(frequent.Overall)}</td></tr>"
            );
    }

    /// <summary>
    /// The switch of the patches and the images: over the range of activations with an index, else the held-out images on which the feature
    /// fires most.
    /// </summary>
    public Html Images(FeatureStatistics feature)
    {
        var patches = volume.HasPatches
            ? Html.Of(
                $"<p class=\"toggle\"><label><input type=\"checkbox\" id=\"heat\" checked> Patches that it fires on "
                    + $"<small>activation before the k largest features are selected, against its strongest image</small></label></p>"
            )
            : Html.Empty;
        var images = Indexed(feature) is { } indexed
            ? Html.Each(indexed.Bands, band =>
                $"<h3>{(band.From == 0 ? "Strongest" : Written.Share(band.From) + " to")} {Written.Share(band.To)}</h3>"
                + $"{Gallery(feature.Feature, band.Images.Select(image => (index!.Images[image.Image], image.Activation)))}"
            )
            : Html.Of($"<p class=\"note\">The held-out images it fires on most. {places.IndexHint(volume)}</p>{Top(feature)}");
        return Html.Of(
            $"{patches}{Captions(feature)}<section>"
                + $"<h2>{(volume.ReadsCaptions ? "Images whose captions it fires on" : "Images it fires on")}</h2>{images}</section>"
        );
    }

    /// <summary>A feature that does not read text and fires about as often.</summary>
    public Html Twin(FeatureStatistics feature) =>
        volume.Twin(feature) is not { } twin
            ? Html.Empty
            : Html.Of(
                $"<section><h2>For comparison: {Link(twin.Feature, $"feature {twin.Feature}")}</h2>"
                    + $"<p class=\"note\">The feature that does not read text and fires on the most similar share of rows "
                    + $"({Written.Rare(twin.Density)}).</p>{Top(twin)}</section>"
            );

    /// <summary>Features whose decoder directions are most alike.</summary>
    public Html Alike(FeatureStatistics feature) =>
        Html.Of(
            $"""
            <section><h2>Neighbours</h2><p class="note">Features whose decoder directions are most alike.</p><ul class="neighbours">{volume.Neighbours(
                feature.Feature,
                Neighbours
            ).Select(other =>
                Html.Of(
                    $"<li>{Link(other.Feature, $"Feature {other.Feature}")} <small>cosine {Written.Number(other.Cosine)}{(volume.Feature(other.Feature)?.Name is { Length: > 0 } name ? $" · {name}" : "")}{(volume.Salience(other.Feature) is null ? "" : " · reads text")}</small></li>"
                )
            )}</ul></section>
            """
        );

    private static Html Captions(FeatureStatistics feature)
    {
        var captions = feature.TopImages.Where(top => top.Caption is not null).ToArray();
        return captions.Length == 0
            ? Html.Empty
            : Html.Of(
                $"<section><h2>Captions it fires on</h2><p class=\"note\">The held-out captions it fires on most.</p>"
                    + $"<ol class=\"captions\">"
                    + $"{captions.Select(top => Html.Of($"<li>{top.Caption!} <small>{Written.Number(top.Activation)}</small></li>"))}"
                    + $"</ol></section>"
            );
    }

    private IndexedFeature? Indexed(FeatureStatistics feature) => index?.Feature(feature.Feature);

    private Html Top(FeatureStatistics feature) =>
        Gallery(feature.Feature, feature.TopImages.Take(TopImages).Select(image => (image.Id, image.Activation)));

    private Html Link(int feature, string title) =>
        places.Feature(volume, feature) is { } address ? Html.Of($"<a href=\"{address}\">{title}</a>") : Html.Of($"{title}");

    private Html Gallery(int feature, IEnumerable<(string Id, double Activation)> images) =>
        Html.Of(
            $"""
            <ul class="pictures">{images.Select(image =>
                Html.Of(
                    $"<li><figure><span class=\"pic\"><img src=\"{places.Image(volume, image.Id)}\" alt=\"{image.Id}\" loading=\"lazy\" width=\"128\" height=\"128\">{(places.Patches(volume, feature, image.Id) is { } patches ? Html.Of($"<img class=\"heat\" src=\"{patches}\" alt=\"\" loading=\"lazy\">") : Html.Empty)}</span><figcaption title=\"{image.Id}\">{Written.Number(image.Activation)}</figcaption></figure></li>"
                )
            )}</ul>
            """
        );
}
