using ClipSae.Pages;
using ClipSae.Results.Curation;
using ClipSae.Web.Shell;

namespace ClipSae.Web.Atlas;

/// <summary>The base's accuracy with something ablated, row by row.</summary>
internal static class AblationTable
{
    public static Html Render(string name, IEnumerable<Html> rows, params IEnumerable<Html> further) =>
        PageShell.Table(
            name,
            "effect",
            [
                PageShell.Heading("Ablated in the base"),
                PageShell.NumberHeading("Clean accuracy"),
                PageShell.NumberHeading("Accuracy under attack"),
                PageShell.NumberHeading("Attack success rate (ASR)"),
                .. further,
            ],
            rows
        );

    /// <summary>A row; none where nothing was measured.</summary>
    /// <param name="further">Cells after those of the accuracy.</param>
    public static Html Row(Html name, AttackAccuracy? accuracy, params IEnumerable<Html> further) =>
        accuracy is null
            ? Html.Empty
            : Html.Of(
                $"<tr><th scope=\"row\">{name}</th><td class=\"n\">{Written.Percent(accuracy.Clean)}</td>"
                    + $"<td class=\"n\">{Written.Percent(accuracy.Attacked)}</td>"
                    + $"<td class=\"n\">{Written.Percent(accuracy.AttackSuccess)}</td>{further}</tr>"
            );
}
