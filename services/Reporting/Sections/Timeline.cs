using ClipSae.Pages;
using ClipSae.Reporting.Data;

namespace ClipSae.Reporting.Sections;

/// <summary>When each unit ran, how long, and whether its result was there already.</summary>
internal static class Timeline
{
    public static Section? Render(ReportData data)
    {
        if (data.Units.Count == 0)
        {
            return null;
        }

        var begin = data.Units.Min(unit => unit.StartedAt);
        var whole = Math.Max(0.001, data.Units.Max(unit => (unit.StartedAt - begin).TotalSeconds + unit.Seconds));
        var hits = data.Units.Count(unit => unit.Cache == "hit");
        var rows = Html.Each(data.Units, unit =>
            $"""
                <tr><th scope="row">{unit.Stage} <small>{unit.Unit}</small></th><td><span class="cache {unit.Cache}">{unit.Cache}</span></td><td class="n">{Written.Duration(
                    unit.Seconds
                )}</td>
                <td class="gantt"><div><i class="{unit.Cache}" style="left:{100
                    * (unit.StartedAt - begin).TotalSeconds
                    / whole:0.##}%;width:{Math.Max(
                    0.4,
                    100 * unit.Seconds / whole
                ):0.##}%"></i></div></td><td class="why">{unit.Reason}</td></tr>
                """
        );
        return new Section(
            "timeline",
            "What ran, and what was taken from earlier runs",
            Html.Of(
                $"{data.Units.Count} units in {Written.Duration(whole)}; "
                    + $"{(hits == 0 ? "none" : hits.ToString(System.Globalization.CultureInfo.InvariantCulture))} of them taken from "
                    + $"earlier runs. This page was made after them."
            ),
            Html.Wide(
                "Units of the run",
                Html.Of(
                    $"<table class=\"timeline\"><thead><tr><th>Stage and unit</th><th>Cache</th><th class=\"n\">Time</th>"
                        + $"<th>When</th><th>Why</th></tr></thead><tbody>{rows}</tbody></table>"
                )
            )
        );
    }
}
