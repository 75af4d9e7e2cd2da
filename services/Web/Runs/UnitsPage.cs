using System.Globalization;
using ClipSae.Pages;
using ClipSae.Web.Records;
using ClipSae.Web.Shell;

namespace ClipSae.Web.Runs;

/// <summary>The units of a run with why they were or were not taken from the cache, and their artifacts.</summary>
internal sealed class UnitsPage(RunReader reader, PageShell shell)
{
    private const int Rows = 100;
    private static readonly string[] Statuses = ["done", "from cache", "failed", "stopped", "not finished"];

    /// <summary>What is asked for.</summary>
    /// <param name="Stage">The only stage shown; empty for all.</param>
    /// <param name="Status">The only status shown; empty for all.</param>
    /// <param name="Text">Part of a unit's or an artifact's name.</param>
    /// <param name="Page">From 1.</param>
    public sealed record Query(string Stage, string Status, string Text, int Page);

    public async Task<string> RenderAsync(string run, Query query, CancellationToken cancel)
    {
        var record = await reader.ReadAsync(run, cancel);
        var units = (
            from stage in record.State.StagesInOrder()
            where query.Stage.Length == 0 || stage.Plan.Stage == query.Stage
            from unit in stage.Plan.Units
            let fact = stage.Facts.GetValueOrDefault(unit.Name)
            where (query.Status.Length == 0 || StatusOf(fact) == query.Status) && Matches(unit.Name, fact, query.Text)
            select (stage.Plan.Stage, unit.Name, Fact: fact)
        ).ToArray();
        var pages = Math.Max(1, (units.Length + Rows - 1) / Rows);
        var page = Math.Clamp(query.Page, 1, pages);
        var inputs = record
            .State.Start?.Spec.Inputs.Values.Where(_ => query is { Stage: "", Status: "", Page: <= 1 })
            .Where(input => input.Name.Contains(query.Text, StringComparison.OrdinalIgnoreCase))
            .Take(Rows)
            .ToArray()
            ?? [];
        var stages = record.State.StagesInOrder().Select(stage => stage.Plan.Stage);
        var table = PageShell.Table(
            "Units",
            "units",
            [
                PageShell.Heading("Unit"),
                PageShell.Heading("Status"),
                PageShell.NumberHeading("Time"),
                PageShell.Heading("Cache, or problem"),
                PageShell.Heading("Artifacts"),
            ],
            units.Skip((page - 1) * Rows).Take(Rows).Select(unit => Row(run, unit.Stage, unit.Name, unit.Fact))
        );
        string Address(int to) =>
            PageShell.Address(
                $"/runs/{run}/units",
                ("q", query.Text),
                ("stage", query.Stage),
                ("status", query.Status),
                ("page", to.ToString(CultureInfo.InvariantCulture))
            );
        return shell.Render(
            $"Units of {run}",
            "/",
            Html.Of(
                $"""
                <p class="crumbs"><a href="/">Runs</a> / <a href="/runs/{run}">{run}</a> /</p><h1>Units and artifacts</h1>
                <form class="filter" role="search"><label>Search <input type="search" name="q" value="{query.Text}" placeholder="unit or artifact"></label>{Select(
                    "Stage",
                    "stage",
                    stages,
                    query.Stage
                )}{Select("Status", "status", Statuses, query.Status)}<button>Filter</button><span class="count">{Written.Count(
                    units.Length
                )} units</span></form>
                {(units.Length == 0 ? Html.Of($"<p class=\"empty\">No unit matches.</p>") : table)}
                {PageShell.Pager(page, pages, Address)}
                {(
                    inputs.Length == 0
                        ? Html.Empty
                        : Html.Of(
                            $"<h2>Inputs of the run</h2><ul class=\"artifacts\">{inputs.Select(input => Link(run, input.Name, input))}</ul>"
                        )
                )}
                """
            )
        );
    }

    private static Html Select(string title, string name, IEnumerable<string> options, string chosen)
    {
        var items = Html.Each(options, option => $"<option{(option == chosen ? " selected" : "")}>{option}</option>");
        return Html.Of($"<label>{title} <select name=\"{name}\"><option value=\"\">all</option>{items}</select></label>");
    }

    private static bool Matches(string unit, UnitFact? fact, string text) =>
        text.Length == 0
        || unit.Contains(text, StringComparison.OrdinalIgnoreCase)
        || fact is UnitFinished finished
            && finished.Outputs.Any(output =>
                output.Key.Contains(text, StringComparison.OrdinalIgnoreCase)
                || output.Value.Name.Contains(text, StringComparison.OrdinalIgnoreCase)
            );

    private static string StatusOf(UnitFact? fact) =>
        fact switch
        {
            UnitFinished { Cache.Kind: CacheKind.Hit } => "from cache",
            UnitFinished => "done",
            UnitFailed => "failed",
            UnitStopped => "stopped",
            _ => "not finished",
        };

    private static Html Row(string run, string stage, string unit, UnitFact? fact)
    {
        var finished = fact as UnitFinished;
        var why =
            fact is UnitFailed failed ? failed.Reason
            : finished is null ? ""
            : $"{finished.Cache.Kind.ToString().ToLowerInvariant()}: {finished.Cache.Reason}";
        return Html.Of(
            $"""
            <tr><th scope="row">{stage}<small>{unit}</small></th><td>{PageShell.Status(StatusOf(fact))}</td><td class="n">{(
                finished is null ? Written.Missing : Written.Duration(finished.Seconds)
            )}</td><td class="why">{why}{(
                fact is null ? Html.Empty : Html.Of($"<small>{fact.Worker}</small>")
            )}</td><td><ul class="artifacts">{finished?.Outputs.OrderBy(output => output.Key, StringComparer.Ordinal).Select(output =>
                Link(run, output.Key, output.Value)
            )
                ?? []}</ul></td></tr>
            """
        );
    }

    private static Html Link(string run, string name, ArtifactRef artifact) =>
        Html.Of(
            $"<li><a href=\"/runs/{run}/artifacts/{artifact.Digest}\" download title=\"{artifact.Digest}\">{name}</a> <small>"
                + $"{Written.Bytes(artifact.Length)}</small></li>"
        );
}
