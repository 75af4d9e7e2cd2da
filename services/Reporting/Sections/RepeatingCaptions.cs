using ClipSae.Pages;
using ClipSae.Reporting.Data;
using ClipSae.Results.Curation;

namespace ClipSae.Reporting.Sections;

/// <summary>Pictures of the data set whose captions repeat the word printed on them.</summary>
internal static class RepeatingCaptions
{
    private const int MaxCount = 48;

    public static IEnumerable<string> WantedImages(ReportData data) => Found(data).Take(MaxCount).Select(finding => finding.Id);

    public static Section? Render(ReportData data)
    {
        if (data.Salient?.CaptionHygiene is not { } hygiene)
        {
            return null;
        }

        var found = Found(data);
        var lead = Html.Of(
            $"<b>{Written.Count(found.Count)} of {Written.Count(hygiene.Images)}</b> pictures contain print, according to SAE "
                + $"features, and with these patches left out the base no longer recognizes a word of the caption. {Done(hygiene)}"
        );
        var rows = found.Take(MaxCount).Select(finding => Row(data, finding));
        var table = Html.Of(
            $"<table class=\"compact\"><thead><tr><th>Image</th><th>Caption</th><th>Word</th><th class=\"n\">Print</th>"
                + $"<th class=\"n\">Margin</th><th class=\"n\">Print left out</th><th class=\"n\">Probability</th></tr></thead>"
                + $"<tbody>{rows}</tbody></table>"
        );
        var rest =
            found.Count > MaxCount
                ? Html.Of($"<p class=\"note\">and {found.Count - MaxCount} more, all of them in curation’s findings</p>")
                : Html.Empty;
        return new Section(
            "captions",
            "Captions that repeat what is printed",
            lead,
            found.Count == 0 ? Html.Empty : Html.Of($"{Html.Wide("Captions that repeat what is printed", table)}{rest}")
        );
    }

    private static IReadOnlyList<CaptionFinding> Found(ReportData data) => data.Salient?.CaptionHygiene?.Found ?? [];

    private static string Done(CaptionFindings hygiene) =>
        hygiene.Action switch
        {
            "drop" => "They were left out of attacks and fine-tuning.",
            "reword" => "The word left the caption where something else remained; the others were left out.",
            "hide" => $"They were left out of attacks and fine-tuning, and on {Written.Count(hygiene.Hidden?.Count ?? 0)} other "
                + "pictures that seem to contain print the printed patches were painted over.",
            "hideRandom" => "They were kept; as a control, as many random pictures were left out, "
                + $"and as many patches painted over on {Written.Count(hygiene.Hidden?.Count ?? 0)} random others.",
            "dropRandom" => "They were kept; as many random pictures were left out, as a control.",
            _ => "They were used as they are.",
        };

    private static Html Row(ReportData data, CaptionFinding finding)
    {
        var image = data.Images.GetValueOrDefault(finding.Id) is { } picture
            ? Html.Of($"<img src=\"{picture}\" alt=\"\" loading=\"lazy\"> ")
            : Html.Empty;
        return Html.Of(
            $"<tr><td>{image}<code>{finding.Id}</code></td><td>{finding.Caption}</td><td>{finding.Word}</td>"
                + $"<td class=\"n\">{finding.Print:0.0}</td><td class=\"n\">{finding.Margin:0.0}</td>"
                + $"<td class=\"n\">{finding.Remaining:0.0}</td><td class=\"n\">{finding.Probability:0.00}</td></tr>"
        );
    }
}
