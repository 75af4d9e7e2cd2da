using ClipSae.Pages;
using ClipSae.Web.Records;
using ClipSae.Web.Shell;

namespace ClipSae.Web.Runs;

/// <summary>What each stage of a run cost: time of its workers, what was taken from the cache, and why the rest was not.</summary>
internal static class CostTable
{
    private const int ReasonsShown = 3;
    private const int WorkersShown = 2;

    public static Html Render(RunRecord record)
    {
        var stages = record
            .State.StagesInOrder()
            .Select(stage => (stage.Plan.Stage, Units: stage.FinishedUnits().ToArray()))
            .Where(stage => stage.Units.Length > 0)
            .ToArray();
        if (stages.Length == 0)
        {
            return Html.Empty;
        }

        var whole = stages.Sum(stage => Seconds(stage.Units));
        var table = PageShell.Table(
            "Cost and cache",
            "cost",
            [
                PageShell.Heading("Stage"),
                PageShell.NumberHeading("Worker time"),
                PageShell.NumberHeading("Share"),
                PageShell.NumberHeading("Computed"),
                PageShell.NumberHeading("From cache"),
                PageShell.Heading("Why"),
                PageShell.Heading("Workers"),
            ],
            stages.Select(stage => Row(record.Run, stage.Stage, stage.Units, whole))
        );
        return Html.Of(
            $"<section><h2 id=\"cost\">Cost and cache</h2><p class=\"note\">Worker time is the time of all units that were computed, "
                + $"side by side or one after another: {Written.Duration(whole)} in all.</p>{table}</section>"
        );
    }

    private static Html Row(string run, string stage, UnitFinished[] units, double whole)
    {
        var hits = units.Count(IsHit);
        var seconds = Seconds(units);
        var reasons = Reasons(units).ToArray();
        var more =
            reasons.Length > ReasonsShown
                ? Html.Of(
                    $"<small><a href=\"{PageShell.Address($"/runs/{run}/units", ("stage", stage))}\">"
                        + $"{reasons.Length - ReasonsShown} more reasons</a></small>"
                )
                : Html.Empty;
        string[] workers =
        [
            .. units.Where(unit => !IsHit(unit)).Select(unit => unit.Worker).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal),
        ];
        var named =
            workers.Length == 0
                ? Written.Missing
                : string.Join(", ", workers.Take(WorkersShown))
                    + (workers.Length > WorkersShown ? $" and {workers.Length - WorkersShown} more" : "");
        return Html.Of(
            $"""
            <tr><th scope="row"><a href="{PageShell.Address($"/runs/{run}/units", ("stage", stage))}">{stage}</a></th><td class="n">{(
                hits == units.Length ? Written.Missing : Written.Duration(seconds)
            )}</td><td class="n">{(
                hits == units.Length || whole <= 0 ? Written.Missing : Written.Percent(seconds / whole)
            )}</td><td class="n">{Written.Count(units.Length - hits)}</td><td class="n">{Written.Count(
                hits
            )}</td><td class="why">{reasons.Take(ReasonsShown).Select(reason =>
                Html.Of($"<span>{reason}</span>")
            )}{more}</td><td class="who">{named}</td></tr>
            """
        );
    }

    /// <summary>The reasons that units have, the most frequent first.</summary>
    private static IEnumerable<string> Reasons(UnitFinished[] units) =>
        from unit in units
        group unit by unit.Cache into same
        orderby same.Count() descending, same.Key.Reason
        let kind = same.Key.Kind switch
        {
            CacheKind.Hit => "from cache",
            CacheKind.Verified => "verified",
            _ => "computed",
        }
        select $"{kind}{(units.Length > 1 ? $" ({Written.Count(same.Count())})" : "")}: {same.Key.Reason}";

    private static bool IsHit(UnitFinished unit) => unit.Cache.Kind is CacheKind.Hit;

    private static double Seconds(IEnumerable<UnitFinished> units) => units.Where(unit => !IsHit(unit)).Sum(unit => unit.Seconds);
}
