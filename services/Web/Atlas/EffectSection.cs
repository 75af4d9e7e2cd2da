using ClipSae.Pages;
using ClipSae.Results.Autoencoders;
using ClipSae.Web.Shell;

namespace ClipSae.Web.Atlas;

/// <summary>The part of a feature's page that says what it does in the base and what writes it.</summary>
internal sealed class EffectSection(FeatureEffects effects, PageShell shell)
{
    private const string Meaning =
        "Switches the feature off in the base on attacks of this run and on the pictures that they were printed on, next to a random "
        + "feature that fires as often, and finds the neurons that write it. At most two minutes on two cores; the result is kept in the "
        + "store.";

    public async Task<Html> RenderAsync(AtlasVolume volume, FeatureStatistics feature, CancellationToken cancel)
    {
        if (!FeatureEffects.CanCompute(volume))
        {
            return Html.Empty;
        }

        var standing = await effects.FindAsync(volume, feature.Feature, cancel);
        var path = $"{AtlasPage.Path(volume.Record.Run, volume.Unit.Unit)}/{feature.Feature}/effect";
        return Html.Of(
            $"""
            <section><h2 id="effect">What it does, and what writes it</h2>{(standing.Value is { } effect
                ? Html.Of($"{Ablation(volume, effect)}{Neurons(volume, effect)}")
                : shell.OnDemand(standing.Done, standing.Problem, path, "Ablate this feature", Meaning))}</section>
            """
        );
    }

    private static Html Ablation(AtlasVolume volume, FeatureEffect effect)
    {
        if (effect.Ablation is not { } ablation)
        {
            return Html.Of($"<p class=\"note\">This run curated no attacks, on which the ablation could be measured.</p>");
        }

        var (twin, path) = (ablation.Twin ?? 0, AtlasPage.Path(volume.Record.Run, volume.Unit.Unit));
        Html[] rows =
        [
            AblationTable.Row(Html.Of($"nothing"), ablation.Before, Changed(null)),
            AblationTable.Row(Html.Of($"this feature"), ablation.Ablated, Changed(ablation.Changed)),
            AblationTable.Row(
                Html.Of($"random <a href=\"{path}/{twin}\">feature {twin}</a>, which fires as often"),
                ablation.TwinAblated,
                Changed(ablation.TwinChanged)
            ),
        ];
        return Html.Of(
            $"<p class=\"note\">{Written.Count(ablation.Pairs)} attacks of this run and the pictures that they were printed on. Curation "
                + $"chose attacks that fool the base, so its attack success rate is high here.</p>"
                + $"{AblationTable.Render("Ablation of this feature", rows, PageShell.NumberHeading("Decisions changed"))}"
        );

        Html Changed(int? changed)
        {
            var text = changed is null ? Written.Missing : $"{Written.Count(changed.Value)} of {Written.Count(2 * ablation.Pairs)}";
            return Html.Of($"<td class=\"n\">{text}</td>");
        }
    }

    private static Html Neurons(AtlasVolume volume, FeatureEffect effect)
    {
        var hook = volume.Statistics.Hook;
        if (effect.Neurons is not { } neurons)
        {
            return Html.Of(
                $"<p class=\"note\">Neurons that write it cannot be named: its decoder direction is in the space of {hook}, "
                    + $"behind a projection, and no neuron's output weights are there.</p>"
            );
        }

        var meaning = hook.StartsWith("mlp@", StringComparison.Ordinal)
            ? "The autoencoder reads the neurons themselves: cosine of each neuron's axis with the decoder direction."
            : "Cosine of each MLP neuron's column of the output weight, in this block and those before it, with the decoder direction.";
        return Html.Of(
            $"""
            <h3>Neurons that write it</h3><p class="note">{meaning}</p><ul class="neighbours">{neurons.Select(neuron =>
                Html.Of($"<li>Block {neuron.Layer}, neuron {neuron.Neuron} <small>cosine {Written.Number(neuron.Cosine)}</small></li>")
            )}</ul>
            """
        );
    }
}
