using ClipSae.Pages;
using ClipSae.Results;

namespace ClipSae.Web;

/// <summary>One feature: images over the range of its activations with the patches that it fires on, what it answers to, a feature to compare it with, and its neighbours.</summary>
internal sealed class FeaturePage(AtlasShelf shelf, FeatureIndexes indexes, EffectSection effect, PageShell shell)
{
    private const int Neighbours = 8;
    private const int TopImages = 8;

    public async Task<string> RenderAsync(string run, string unit, int number, CancellationToken cancel)
    {
        var volume = await shelf.VolumeAsync(run, unit, cancel);
        var feature = volume.Feature(number) ?? throw new MissingPageException(number < volume.Statistics.Figures.Latents ? $"Feature {number} of {unit} fires on no held-out image, so nothing is known of it." : $"{unit} has {volume.Statistics.Figures.Latents} features, numbered from 0.");
        var standing = await indexes.FindAsync(volume, cancel);
        var indexed = standing.Value?.Features.FirstOrDefault(candidate => candidate.Feature == number);
        var twin = volume.Twin(feature);
        var hasPatches = volume.HasPatches;
        return shell.Render($"Feature {number} of {unit}", "/", Html.Of($"""
            <p class="crumbs"><a href="/">Runs</a> / <a href="/runs/{run}">{run}</a> / <a href="{AtlasPage.Path(run, unit)}">features of {unit}</a> /</p>
            <div class="title"><h1>Feature {number}</h1>{(string.IsNullOrEmpty(feature.Name) ? Html.Empty : Html.Of($"<i>{feature.Name}</i>"))}{(volume.Salience(number) is null ? Html.Empty : Html.Of($"<span class=\"badge\">reads text</span>"))}</div>
            {Figures(volume, feature, indexed)}
            {Answers(indexed)}
            {(hasPatches ? Html.Of($"<p class=\"toggle\"><label><input type=\"checkbox\" id=\"heat\" checked> Patches that it fires on <small>activation before the k largest features are selected, against its strongest image</small></label></p>") : Html.Empty)}
            <section><h2>Images it fires on</h2>{(indexed is null ? Html.Of($"<p class=\"note\">The held-out images it fires on most. <a href=\"{AtlasPage.Path(run, unit)}\">With the index</a>, images over the whole range of its activations are shown.</p>{Pictures(run, unit, number, feature.TopImages.Take(TopImages).Select(image => (image.Id, image.Activation)), hasPatches)}") : Bands(run, unit, number, standing.Value!, indexed, hasPatches))}</section>
            {(twin is null ? Html.Empty : Html.Of($"<section><h2>For comparison: <a href=\"{AtlasPage.Path(run, unit)}/{twin.Feature}\">feature {twin.Feature}</a></h2><p class=\"note\">The feature that does not read text and fires on the most similar share of rows ({Written.Rare(twin.Density)}).</p>{Pictures(run, unit, twin.Feature, twin.TopImages.Take(TopImages).Select(image => (image.Id, image.Activation)), hasPatches)}</section>"))}
            {await effect.RenderAsync(volume, feature, cancel)}
            {NeighboursOf(run, unit, volume, number)}
            {AtlasPage.Ablation(volume)}
            """));
    }

    private static Html Figures(AtlasVolume volume, FeatureStatistics feature, IndexedFeature? indexed)
    {
        var salience = volume.Salience(feature.Feature);
        (string Name, string? Value)[] figures =
        [
            ("density", Written.Rare(feature.Density)), ("mean activation", Written.Number(feature.MeanActivation)), ("monosemanticity", feature.Monosemanticity is null ? null : Written.Number(feature.Monosemanticity)),
            ("text salience", salience is null ? null : Written.Number(salience.Salience)), ("word − clean", salience is null ? null : Written.Number(salience.WordMinusClean)),
            ("word − unreadable strokes", salience is null ? null : Written.Number(salience.WordMinusControl)), ("AUROC", salience is null ? null : Written.Number(salience.Auroc)), ("images it fires on", indexed is null ? null : Written.Count(indexed.Fires)),
        ];
        return Html.Of($"<dl class=\"numbers\">{figures.Where(figure => figure.Value is not null).Select(figure => Html.Of($"<div><dt>{figure.Name}</dt><dd>{figure.Value}</dd></div>"))}</dl>");
    }

    private static Html Answers(IndexedFeature? indexed)
    {
        if (indexed is null || indexed.Classes.Count + indexed.Words.Count == 0)
        {
            return Html.Empty;
        }

        var rows = indexed.Classes.Select(frequent => ("class", frequent)).Concat(indexed.Words.Select(frequent => ("printed word", frequent)));
        return Html.Of($"""
            <section><h2>What it answers to</h2><p class="note">Shares among the quarter of its images on which it fires most, at least one and a half times as frequent there as overall.</p>{PageShell.Wide("What it answers to", Html.Of($"""
            <table><thead><tr><th scope="col">Class or word</th><th scope="col">Kind</th><th scope="col" class="n">Where it fires most</th><th scope="col" class="n">All images</th></tr></thead><tbody>{rows.Select(row => Html.Of($"<tr><th scope=\"row\">{row.frequent.Text}</th><td>{row.Item1}</td><td class=\"n\">{Written.Percent(row.frequent.Share)}</td><td class=\"n\">{Written.Percent(row.frequent.Overall)}</td></tr>"))}</tbody></table>
            """))}</section>
            """);
    }

    private static Html Bands(string run, string unit, int feature, FeatureIndex index, IndexedFeature indexed, bool hasPatches) => Html.Join(indexed.Bands.Select(band => Html.Of($"""
        <h3>{(band.From == 0 ? "Strongest" : Written.Share(band.From) + " to")} {Written.Share(band.To)}</h3>{Pictures(run, unit, feature, band.Images.Select(image => (index.Images[image.Image], image.Activation)), hasPatches)}
        """)));

    private static Html Pictures(string run, string unit, int feature, IEnumerable<(string Id, double Activation)> images, bool hasPatches) => Html.Of($"""
        <ul class="pictures">{images.Select(image => Html.Of($"<li><figure><span class=\"pic\"><img src=\"{AtlasPage.Picture(run, image.Id)}\" alt=\"{image.Id}\" loading=\"lazy\" width=\"128\" height=\"128\">{(hasPatches ? Html.Of($"<img class=\"heat\" src=\"{PageShell.Address($"{AtlasPage.Path(run, unit)}/{feature}/patches", ("id", image.Id))}\" alt=\"\" loading=\"lazy\">") : Html.Empty)}</span><figcaption title=\"{image.Id}\">{Written.Number(image.Activation)}</figcaption></figure></li>"))}</ul>
        """);

    private static Html NeighboursOf(string run, string unit, AtlasVolume volume, int feature) => Html.Of($"""
        <section><h2>Neighbours</h2><p class="note">Features whose decoder directions are most alike.</p><ul class="neighbours">{volume.Neighbours(feature, Neighbours).Select(other => Html.Of($"<li><a href=\"{AtlasPage.Path(run, unit)}/{other.Feature}\">Feature {other.Feature}</a> <small>cosine {Written.Number(other.Cosine)}{(volume.Feature(other.Feature)?.Name is { Length: > 0 } name ? $" · {name}" : "")}{(volume.Salience(other.Feature) is null ? "" : " · reads text")}</small></li>"))}</ul></section>
        """);
}
