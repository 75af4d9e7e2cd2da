using System.Globalization;
using ClipSae.Pages;
using ClipSae.Results.Autoencoders;
using ClipSae.Results.Curation;
using ClipSae.Web.Security;
using ClipSae.Web.Shell;

namespace ClipSae.Web.Atlas;

/// <summary>The features of an autoencoder, searched and in order, a page at a time.</summary>
internal sealed class AtlasPage(FeatureIndexes indexes, ImageSearch search, PageShell shell)
{
    private const int Cards = 24;
    private const int MaxFiring = 48;
    private const int ImageSide = 160;
    private static readonly (string Name, string Title)[] Orders =
    [
        ("salience", "text salience"),
        ("density", "density"),
        ("activation", "mean activation"),
        ("monosemanticity", "monosemanticity"),
        ("number", "number"),
    ];

    /// <summary>What is asked for.</summary>
    /// <param name="Text">A feature's number, or part of its name or of a class or word that it answers to.</param>
    /// <param name="Order">One of the orders; anything else is the first.</param>
    /// <param name="SalientOnly">Whether only features that read text are shown.</param>
    /// <param name="Page">From 1.</param>
    public sealed record Query(string Text, string Order, bool SalientOnly, int Page);

    /// <summary>Address of an autoencoder's features.</summary>
    public static string Path(string run, string unit) => $"/runs/{run}/atlas/{Uri.EscapeDataString(unit)}";

    /// <summary>Address of a small picture of a run's data set.</summary>
    public static string Image(string run, string id) => PageShell.Address($"/runs/{run}/picture", ("id", id));

    public async Task<string> RenderAsync(string run, string unit, Query query, CancellationToken cancel)
    {
        var (volume, standing) = await indexes.OpenAsync(run, unit, cancel);
        var found = Find(volume, standing.Value, query);
        var pages = Math.Max(1, (found.Count + Cards - 1) / Cards);
        var page = Math.Clamp(query.Page, 1, pages);
        var parts = new FeatureParts(volume, standing.Value, AtlasPlaces.Served);
        return Render(
            volume,
            standing,
            query,
            Html.Of($"<span class=\"count\">{Written.Count(found.Count)} features</span>"),
            Html.Of(
                $"""
                {(
                    found.Count == 0
                        ? Html.Of($"<p class=\"empty\">No feature matches.</p>")
                        : Html.Of(
                            $"<div class=\"cards\">{found.Skip((page - 1) * Cards).Take(Cards).Select(feature => parts.Card(feature))}</div>"
                        )
                )}
                {PageShell.Pager(page, pages, to =>
                    PageShell.Address(
                        Path(run, unit),
                        ("q", query.Text),
                        ("order", query.Order),
                        ("salient", query.SalientOnly ? "1" : null),
                        ("page", to.ToString(CultureInfo.InvariantCulture))
                    )
                )}
                """
            )
        );
    }

    /// <summary>The features that fire on a picture that was sent, strongest first.</summary>
    /// <param name="picture">An image file; null where none was sent.</param>
    public async Task<string> RenderAsync(string run, string unit, byte[]? picture, CancellationToken cancel)
    {
        var (volume, standing) = await indexes.OpenAsync(run, unit, cancel);
        return Render(
            volume,
            standing,
            new Query("", "", false, 1),
            Html.Empty,
            await FiringAsync(volume, standing.Value, picture, cancel)
        );
    }

    private async Task<Html> FiringAsync(AtlasVolume volume, FeatureIndex? index, byte[]? picture, CancellationToken cancel)
    {
        try
        {
            UserErrorException.ThrowIf(picture is null, "choose a picture");

            var outcome = await search.FindAsync(volume, picture, cancel);
            var parts = new FeatureParts(volume, index, AtlasPlaces.Served);
            var shown = outcome.Features.Take(MaxFiring).Select(firing => parts.Card(volume.Feature(firing.Feature)!, firing.Activation));
            var unknown =
                outcome.Unknown == 0
                    ? ""
                    : $" {Written.Count(outcome.Unknown)} more fire{(outcome.Unknown == 1 ? "s" : "")} on no held-out image, "
                        + $"so nothing is known of {(outcome.Unknown == 1 ? "it" : "them")}.";
            var more = outcome.Features.Count > MaxFiring ? $" The {MaxFiring} strongest are shown." : "";
            var view = Thumbnail.Of(picture, ImageSide) is { } small ? Html.Of($"<img src=\"{small}\" alt=\"The picture\">") : Html.Empty;
            return Html.Of(
                $"""
                <section class="firing" aria-label="Features that fire on the picture"><div class="asked">{view}<div><h2 id="firing">Features that fire on this picture</h2><p class="note">{Written.Count(
                    outcome.Features.Count
                )} features, strongest first: the largest activation over the picture's tokens in the base.{more}{unknown} <a href="{Path(
                    volume.Record.Run,
                    volume.Unit.Unit
                )}">All features</a></p></div></div>
                {(
                    outcome.Features.Count == 0
                        ? Html.Of($"<p class=\"empty\">No feature fires on it.</p>")
                        : Html.Of($"<div class=\"cards\">{shown}</div>")
                )}</section>
                """
            );
        }
        catch (UserErrorException error)
        {
            return Html.Of($"<p class=\"problem\" role=\"alert\">{error.Message}</p>");
        }
    }

    /// <param name="count">What stands next to the search.</param>
    /// <param name="list">The features that are shown.</param>
    private string Render(AtlasVolume volume, KeptResults<FeatureIndex>.Standing standing, Query query, Html count, Html list)
    {
        var (run, unit, metrics) = (volume.Record.Run, volume.Unit.Unit, volume.Statistics.Metrics);
        return shell.Render(
            $"Features of {unit}",
            "/",
            Html.Of(
                $"""
                <p class="crumbs"><a href="/">Runs</a> / <a href="/runs/{run}">{run}</a> /</p><h1>Features of {unit}</h1>
                <nav class="tabs" aria-label="Autoencoders">{AtlasShelf.Units(volume.Record).Select(other =>
                    Html.Of(
                        $"<a href=\"{Path(run, other.Unit)}\"{(other.Unit == unit ? Html.Of($" aria-current=\"page\"") : Html.Empty)}>{other.Unit}</a>"
                    )
                )}</nav>
                <p class="facts">{Written.Count(metrics.Latents)} latents, {Written.Count(
                    volume.Statistics.Features.Count
                )} fire on held-out images · explained variance {Written.Percent(metrics.ExplainedVariance)} · FVU {Written.Number(
                    metrics.Fvu
                )} · L0 {Written.Number(metrics.L0)} · k {metrics.K}</p>
                {(
                    FeatureMovements.CanCompute(volume)
                        ? Html.Of($"<p><a href=\"{ChangesPage.Path(run, unit)}\">Before and after fine-tuning</a></p>")
                        : Html.Empty
                )}
                {Ablation(volume)}
                {Index(run, unit, volume, standing)}
                <form class="filter" role="search" action="{Path(
                    run,
                    unit
                )}"><label>Search <input type="search" name="q" value="{query.Text}" placeholder="number, name{(
                    standing.Value is null ? "" : ", class or word"
                )}"></label><label>Order <select name="order">{Orders.Select(order =>
                    Html.Of(
                        $"<option value=\"{order.Name}\"{(order.Name == query.Order ? Html.Of($" selected") : Html.Empty)}>{order.Title}</option>"
                    )
                )}</select></label>{(
                    volume.Findings is null
                        ? Html.Empty
                        : Html.Of(
                            $"<label><input type=\"checkbox\" name=\"salient\" value=\"1\"{(query.SalientOnly ? Html.Of($" checked") : Html.Empty)}> reads text</label>"
                        )
                )}<button>Search</button>{count}</form>
                {(ImageSearch.IsPossible(volume) ? ByImage(run, unit) : Html.Empty)}
                {list}
                """
            )
        );
    }

    private Html ByImage(string run, string unit) =>
        Html.Of(
            $"""
            <form class="by-picture" method="post" enctype="multipart/form-data" action="{Path(
                run,
                unit
            )}/picture" data-drop="send"><input type="hidden" name="{AccessGuard.FormField}" value="{shell.FormSecret}">
            <label class="drop">Search by a picture <input type="file" name="picture" accept="image/*" required><small>or drop one anywhere on this page</small></label><button class="primary">Find what fires on it</button></form>
            """
        );

    /// <summary>The features that are asked for, in order.</summary>
    internal static IReadOnlyList<FeatureStatistics> Find(AtlasVolume volume, FeatureIndex? index, Query query)
    {
        var text = query.Text.Trim();
        var answering =
            text.Length == 0 || index is null
                ? []
                : index
                    .Features.Where(feature =>
                        feature
                            .Classes.Concat(feature.Words)
                            .Any(frequent => frequent.Text.Contains(text, StringComparison.OrdinalIgnoreCase))
                    )
                    .Select(feature => feature.Feature)
                    .ToHashSet();
        var isNumber = int.TryParse(text.TrimStart('#'), NumberStyles.None, CultureInfo.InvariantCulture, out var number);
        var found = volume.Statistics.Features.Where(feature =>
            (!query.SalientOnly || volume.Salience(feature.Feature) is not null)
            && (
                text.Length == 0
                || (isNumber && feature.Feature == number)
                || feature.Name?.Contains(text, StringComparison.OrdinalIgnoreCase) == true
                || answering.Contains(feature.Feature)
            )
        );
        return
        [
            .. query.Order switch
            {
                "density" => found.OrderByDescending(feature => feature.Density),
                "activation" => found.OrderByDescending(feature => feature.MeanActivation),
                "monosemanticity" => found.OrderByDescending(feature => feature.Monosemanticity),
                "number" => found.OrderBy(feature => feature.Feature),
                _ => found
                    .OrderByDescending(feature => volume.Salience(feature.Feature)?.Salience ?? double.NegativeInfinity)
                    .ThenByDescending(feature => feature.Density),
            },
        ];
    }

    /// <summary>What curation's ablation of this autoencoder's salient features did; nothing where it was not chosen.</summary>
    public static Html Ablation(AtlasVolume volume)
    {
        if (volume.Findings?.Layers.FirstOrDefault(layer => layer.Chosen) is not { } layer)
        {
            return Html.Empty;
        }

        AttackAccuracy? random =
            layer.Random.Count == 0
                ? null
                : new(
                    layer.Random.Average(draw => draw.Clean),
                    layer.Random.Average(draw => draw.Attacked),
                    layer.Random.Average(draw => draw.AttackSuccess)
                );
        Html[] rows =
        [
            AblationTable.Row(Html.Of($"nothing"), layer.Before),
            AblationTable.Row(Html.Of($"the {layer.Salient} features that read text"), layer.Ablation),
            AblationTable.Row(Html.Of($"as many random features (mean of {layer.Random.Count})"), random),
        ];
        return Html.Of(
            $"<details class=\"more\"><summary>Ablation: what switching off the features that read text does</summary>"
                + $"{AblationTable.Render("Ablation", rows)}</details>"
        );
    }

    private Html Index(string run, string unit, AtlasVolume volume, KeptResults<FeatureIndex>.Standing standing) =>
        standing switch
        {
            { Value: { } index } => Html.Of(
                $"<p class=\"note\">Images by activation, classes and words are measured "
                    + $"on {(index.Stride == 1 ? "all" : $"every {Written.Count(index.Stride)}th of the data set's images:")} "
                    + $"{Written.Count(index.Images.Count)} images.</p>"
            ),
            _ when !FeatureIndexes.CanCompute(volume) => Html.Of(
                $"<p class=\"note\">This run kept no activations of {volume.Statistics.Hook}: "
                    + $"images over the range of activations, classes and words cannot be computed.</p>"
            ),
            _ => shell.OnDemand(
                standing.Done,
                standing.Problem,
                Path(run, unit) + "/index",
                "Compute the index",
                "The index finds images over the whole range of activations, and classes and words that features answer to. "
                    + "It is computed once, from the stored activations, and kept in the store."
            ),
        };
}
