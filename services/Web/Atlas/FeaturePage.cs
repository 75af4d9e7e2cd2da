using ClipSae.Pages;
using ClipSae.Web.Shell;

namespace ClipSae.Web.Atlas;

/// <summary>
/// One feature: images over the range of its activations with the patches that it fires on, what it answers to, a feature to compare it
/// with, what it does, and its neighbours.
/// </summary>
internal sealed class FeaturePage(FeatureIndexes indexes, EffectSection effect, PageShell shell)
{
    public async Task<string> RenderAsync(string run, string unit, int number, CancellationToken cancel)
    {
        var (volume, standing) = await indexes.OpenAsync(run, unit, cancel);
        var feature = volume.Feature(number)
            ?? throw new MissingPageException(
                number < volume.Statistics.Metrics.Latents
                    ? $"Feature {number} of {unit} fires on no held-out image, so nothing is known of it."
                    : $"{unit} has {volume.Statistics.Metrics.Latents} features, numbered from 0."
            );
        var parts = new FeatureParts(volume, standing.Value, AtlasPlaces.Served);
        return shell.Render(
            $"Feature {number} of {unit}",
            "/",
            Html.Of(
                $"""
                <p class="crumbs"><a href="/">Runs</a> / <a href="/runs/{run}">{run}</a> / <a href="{AtlasPage.Path(
                    run,
                    unit
                )}">features of {unit}</a> /</p>
                {parts.Title(feature)}{parts.Metrics(feature)}{parts.Answers(feature)}{parts.Images(feature)}{parts.Twin(feature)}
                {await effect.RenderAsync(volume, feature, cancel)}
                {parts.Alike(feature)}
                {AtlasPage.Ablation(volume)}
                """
            )
        );
    }
}
