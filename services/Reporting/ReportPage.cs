using System.Reflection;
using ClipSae.Pages;
using ClipSae.Reporting.Data;
using ClipSae.Reporting.Sections;

namespace ClipSae.Reporting;

/// <summary>The page of a run: one HTML file that asks for nothing else.</summary>
public static class ReportPage
{
    private static readonly string Style = Stylesheet.Palette + Stylesheet.Charts + ReadStyle();

    /// <summary>Renders the page. Parts that the run does not have are left out.</summary>
    public static string Render(ReportData data)
    {
        // Without arms the models themselves are what the page is about; next to arms their finer metrics can wait.
        Section?[] models = [ModelTables.Render(data), RetrievalTables.Render(data)];
        Section?[] images = [ArmComparison.Render(data), TradeOff.Render(data), SideBySide.Render(data)];
        Section?[] evaluation = images[0] is null ? [.. models, .. images] : [.. images, .. models];
        Section[] sections =
        [
            .. (
                (Section?[])
                    [
                        BeforeAfter.Render(data),
                        .. evaluation,
                        AutoencoderTables.Render(data),
                        CausalEvidence.Render(data),
                        SalientFeatures.Render(data),
                        FamiliesOfPrint.Render(data),
                        RepeatingCaptions.Render(data),
                        AttackGallery.Render(data),
                        TrainingCurves.Render(data),
                        TextStates.Render(data),
                        Timeline.Render(data),
                        DataProblems.Render(data),
                        Provenance.Render(data),
                    ]
            ).OfType<Section>(),
        ];
        return Html.Of(
            $"""
            <!doctype html>
            <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">
            <meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
            <title>ClipSae · {data.Run}</title><style>{new Html(Style)}</style></head><body>
            <a class="skip" href="#content">Skip to the content</a>
            <header><p class="kicker">ClipSae report</p><h1>{data.Run}</h1>{Subject(
                data
            )}<p class="when"><time datetime="{data.At.ToUniversalTime():O}">{data.At.ToUniversalTime():d MMMM yyyy, HH:mm} UTC</time></p>
            {Headline.Render(data)}{FamiliesOfPrint.Fooled(data)}</header>
            <main id="content">{sections.Select((section, place) => (section with { IsOpen = place == 0 }).Render())}</main>
            <footer>Made by ClipSae. This file holds everything it shows and loads nothing.</footer>
            </body></html>
            """
        ).Text;
    }

    /// <summary>What the run is about: the weights, and the folder of the data set.</summary>
    private static Html Subject(ReportData data)
    {
        var weights = data.Inputs.GetValueOrDefault(InputNames.ModelWeights)?.Name;
        var folder = data.Inputs.GetValueOrDefault(InputNames.DatasetManifest)?.Name;
        var images = data.Dataset is null ? null : $"{Written.Count(data.Dataset.Items.Count)} images";
        var both = weights is null || folder is null ? weights ?? folder : $"{weights} on {folder}";
        var told = string.Join(", ", new[] { both, images }.OfType<string>());
        return told.Length == 0 ? Html.Empty : Html.Of($"<p class=\"subject\">{told}</p>");
    }

    private static string ReadStyle()
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream("report.css")!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
