using ClipSae.Pages;
using ClipSae.Results.Autoencoders;
using ClipSae.Web.Shell;

namespace ClipSae.Web.Atlas;

/// <summary>Before and after: what fine-tuning removed, added and turned among the features of the base's autoencoder.</summary>
internal sealed class ChangesPage(AtlasShelf shelf, FeatureMovements movements, PageShell shell)
{
    private const int Shown = 12;
    private const int ImagesShown = 4;

    // A feature that fires on fewer images in both models than this has no frequency to speak of.
    private const double Rare = 0.005;
    private const double Half = 0.5;

    /// <summary>Address of the page.</summary>
    public static string Path(string run, string unit) => AtlasPage.Path(run, unit) + "/before-after";

    public async Task<string> RenderAsync(string run, string unit, CancellationToken cancel)
    {
        var volume = await shelf.VolumeAsync(run, unit, cancel);
        if (!FeatureMovements.CanCompute(volume))
        {
            throw new MissingPageException($"Run {run} has no tuned model to compare with its base.");
        }

        var standing = await movements.FindAsync(volume, cancel);
        return shell.Render(
            $"Before and after, {unit}",
            "/",
            Html.Of(
                $"""
                <p class="crumbs"><a href="/">Runs</a> / <a href="/runs/{run}">{run}</a> / <a href="{AtlasPage.Path(
                    run,
                    unit
                )}">features of {unit}</a> /</p><h1>Before and after</h1>
                <p class="lead">What fine-tuning changed among the features of {unit}: the base's autoencoder reads the activations of base and tuned model on the same images.</p>
                {(
                    standing.Value is { } movement
                        ? Changes(volume, movement)
                        : shell.OnDemand(
                            standing.Done,
                            standing.Problem,
                            Path(run, unit),
                            "Compare base and tuned model",
                            "Both models see images of the data set, and attacks of the run with the pictures that they were printed on. At most two minutes on two cores; the result is kept in the store."
                        )
                )}
                """
            )
        );
    }

    /// <summary>Features that fire on less than half as many images after fine-tuning, the largest loss first.</summary>
    internal static IEnumerable<MovedFeature> Removed(FeatureMovement movement) =>
        movement
            .Features.Where(feature => feature.Frequency >= Rare && feature.TunedFrequency < Half * feature.Frequency)
            .OrderByDescending(feature => feature.Frequency - feature.TunedFrequency)
            .ThenBy(feature => feature.Feature);

    /// <summary>Features that fire on more than twice as many images, the largest gain first.</summary>
    internal static IEnumerable<MovedFeature> Added(FeatureMovement movement) =>
        movement
            .Features.Where(feature => feature.TunedFrequency >= Rare && feature.Frequency < Half * feature.TunedFrequency)
            .OrderByDescending(feature => feature.TunedFrequency - feature.Frequency)
            .ThenBy(feature => feature.Feature);

    /// <summary>Features that fire about as often, but on other images: the least correlated first.</summary>
    internal static IEnumerable<MovedFeature> Turned(FeatureMovement movement) =>
        movement
            .Features.Where(feature =>
                feature.Frequency >= Rare
                && feature.TunedFrequency >= Half * feature.Frequency
                && feature.Frequency >= Half * feature.TunedFrequency
                && feature.Correlation < Half
            )
            .OrderBy(feature => feature.Correlation)
            .ThenBy(feature => feature.Feature);

    /// <summary>Features whose response to a printed word fell, the largest fall first.</summary>
    internal static IEnumerable<MovedFeature> Deaf(FeatureMovement movement) =>
        movement
            .Features.Where(feature => feature.TextResponse > 0 && feature.TunedTextResponse < feature.TextResponse)
            .OrderByDescending(feature => feature.TextResponse - feature.TunedTextResponse)
            .ThenBy(feature => feature.Feature);

    private static Html Changes(AtlasVolume volume, FeatureMovement movement)
    {
        (string Title, string Meaning, MovedFeature[] Features)[] parts =
        [
            (
                "Text response fell most",
                "Mean over the attacks of what the printed word adds to the feature's activation.",
                [.. Deaf(movement)]
            ),
            ("Removed", "They fire on less than half as many images as in the base.", [.. Removed(movement)]),
            ("Added", "They fire on more than twice as many images as in the base.", [.. Added(movement)]),
            (
                "Turned",
                "They fire about as often, but on other images: the correlation of their activations in the two models is below 0.5.",
                [.. Turned(movement)]
            ),
        ];
        return Html.Of(
            $"""
            <p class="facts">{movement.Tuned} against the base · {Written.Count(movement.Images)} images of the data set · {Written.Count(
                movement.Pairs
            )} attacks · {Written.Count(
                movement.Features.Count
            )} features fire in either · a feature counts where it fires on at least {Written.Percent(Rare)} of the images</p>
            {parts.Where(part => movement.Pairs > 0 || part.Features.Length > 0).Select(part =>
                Part(volume, part.Title, part.Meaning, part.Features)
            )}
            """
        );
    }

    private static Html Part(AtlasVolume volume, string title, string meaning, MovedFeature[] features)
    {
        var table = PageShell.Table(
            title,
            "moved",
            [
                PageShell.Heading("Feature"),
                PageShell.Heading("Images it fires on most"),
                PageShell.NumberHeading("Frequency", "base → tuned"),
                PageShell.NumberHeading("Mean activation", "base → tuned"),
                PageShell.NumberHeading("Text response", "base → tuned"),
                PageShell.NumberHeading("Correlation"),
            ],
            features.Take(Shown).Select(feature => Row(volume, feature))
        );
        return Html.Of(
            $"<section><h2>{title} <small>{Written.Count(features.Length)} features</small></h2><p class=\"note\">{meaning}</p>"
                + $"{(features.Length == 0 ? Html.Of($"<p class=\"empty\">None.</p>") : table)}</section>"
        );
    }

    private static Html Row(AtlasVolume volume, MovedFeature moved)
    {
        var known = volume.Feature(moved.Feature);
        var run = volume.Record.Run;
        var name = known is null
            ? Html.Of($"Feature {moved.Feature}")
            : Html.Of($"<a href=\"{AtlasPage.Path(run, volume.Unit.Unit)}/{moved.Feature}\">Feature {moved.Feature}</a>");
        return Html.Of(
            $"""
            <tr><th scope="row">{name}{(known?.Name is { Length: > 0 } text ? Html.Of($"<small>{text}</small>") : Html.Empty)}{(
                volume.Salience(moved.Feature) is null ? Html.Empty : Html.Of($"<small>reads text</small>")
            )}</th><td><span class="few">{known?.TopImages.Take(ImagesShown).Select(image =>
                Html.Of($"<img src=\"{AtlasPage.Image(run, image.Id)}\" alt=\"{image.Id}\" loading=\"lazy\" width=\"48\" height=\"48\">")
            )
                ?? []}</span></td><td class="n">{Written.Rare(moved.Frequency)} → {Written.Rare(
                moved.TunedFrequency
            )}</td><td class="n">{Written.Number(moved.Mean)} → {Written.Number(moved.TunedMean)}</td><td class="n">{(
                moved.TextResponse is null
                    ? Written.Missing
                    : $"{Written.Signed(moved.TextResponse.Value)} → {Written.Signed(moved.TunedTextResponse ?? 0)}"
            )}</td><td class="n">{Written.Number(moved.Correlation)}</td></tr>
            """
        );
    }
}
