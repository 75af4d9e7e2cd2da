using System.Globalization;
using ClipSae.Hosting.Runs;
using ClipSae.Hosting.Service;
using ClipSae.Pages;
using ClipSae.Pipeline.Runs;
using ClipSae.Results.Evaluation;
using ClipSae.Web.Records;
using ClipSae.Web.Shell;

namespace ClipSae.Web.Runs;

/// <summary>The list of runs, the newest first.</summary>
internal sealed class RunsPage(ClipSaeRuntime runtime, RunReader reader, PageShell shell)
{
    private const int Rows = 50;

    // The metrics of a run that has ended stay what they are, and are all that the list needs of it.
    private readonly System.Collections.Concurrent.ConcurrentDictionary<string, EvaluationMetrics?> _scores = new(StringComparer.Ordinal);

    /// <param name="text">Part of a run's name or of its problem.</param>
    /// <param name="status">The only status shown; empty for all.</param>
    /// <param name="page">From 1.</param>
    public async Task<string> RenderAsync(string text, string status, int page, CancellationToken cancel)
    {
        var all = await runtime.ListRunsAsync(cancel);
        RunOverview[] found = [.. all.Reverse().Where(run => (status.Length == 0 || run.StatusName == status) && Matches(run, text))];
        var pages = Math.Max(1, (found.Length + Rows - 1) / Rows);
        page = Math.Clamp(page, 1, pages);
        var shown = new List<Html>();
        foreach (var run in found.Skip((page - 1) * Rows).Take(Rows))
        {
            shown.Add(Row(run, await ScoresAsync(run, cancel)));
        }

        var table = PageShell.Table(
            "Runs",
            "runs",
            [
                Html.Of($"<th><span class=\"aloud\">Compare</span></th>"),
                PageShell.Heading("Run"),
                PageShell.Heading("Status"),
                PageShell.Heading("Started (UTC)"),
                PageShell.NumberHeading("Took"),
                PageShell.NumberHeading("Units"),
                PageShell.NumberHeading("Clean accuracy", "base → tuned"),
                PageShell.NumberHeading("Under attack", "base → tuned"),
            ],
            shown
        );
        var replay = shell.AllowsChanges ? Html.Of($" <button formaction=\"/backfill\">Replay a stage of them</button>") : Html.Empty;
        string Address(int to) =>
            PageShell.Address("/", ("q", text), ("status", status), ("page", to.ToString(CultureInfo.InvariantCulture)));
        var list =
            found.Length == 0
                ? Html.Of(
                    $"<p class=\"empty\">{(all.Count == 0 ? "There are no runs yet. 'clipsae demo' creates one." : "No run matches.")}</p>"
                )
                : Html.Of(
                    $"<form action=\"/compare\" class=\"list\">{table}<p class=\"actions\"><button>Compare selected runs</button>"
                        + $"{replay}</p></form>{PageShell.Pager(page, pages, Address)}"
                );
        return shell.Render(
            "Runs",
            "/",
            Html.Of(
                $"""
                <h1>Runs</h1>
                <form class="filter" role="search"><label>Search <input type="search" name="q" value="{text}" placeholder="name or problem"></label><label>Status <select name="status"><option value="">all</option>{RunStatusNames.All.Select(
                    name => Html.Of($"<option{(name == status ? Html.Of($" selected") : Html.Empty)}>{name}</option>")
                )}</select></label><button>Filter</button><span class="count">{Written.Count(found.Length)} of {Written.Count(
                    all.Count
                )}</span></form>
                {list}
                """
            )
        );
    }

    private static bool Matches(RunOverview run, string text) =>
        run.Run.Contains(text, StringComparison.OrdinalIgnoreCase)
        || run.Problem?.Contains(text, StringComparison.OrdinalIgnoreCase) == true;

    private async Task<EvaluationMetrics?> ScoresAsync(RunOverview run, CancellationToken cancel)
    {
        if (run.Status is RunStatus.Unknown)
        {
            return null;
        }

        if (run.EndedAt is null || !_scores.TryGetValue(run.Run, out var scores))
        {
            scores = (await reader.ReadAsync(run.Run, cancel)).Scores;
            if (run.EndedAt is not null)
            {
                _scores[run.Run] = scores;
            }
        }

        return scores;
    }

    private static Html Row(RunOverview run, EvaluationMetrics? scores)
    {
        var notes = new[] { run.Origin is { } origin ? $"replays {origin.Run}" : null, run.Problem }.OfType<string>();
        return Html.Of(
            $"""
            <tr><td><input type="checkbox" name="run" value="{run.Run}" aria-label="Compare {run.Run}"></td><th scope="row"><a href="/runs/{run.Run}">{run.Run}</a>{notes.Select(
                note => Html.Of($"<small class=\"clip\" title=\"{note}\">{note}</small>")
            )}</th><td>{PageShell.Status(run.StatusName)}</td><td>{run.StartedAt?.ToUniversalTime().ToString(
                "yyyy-MM-dd HH:mm",
                CultureInfo.InvariantCulture
            )
                ?? Written.Missing}</td><td class="n">{(
                run is { StartedAt: { } start, EndedAt: { } end } ? Written.Duration((end - start).TotalSeconds) : Written.Missing
            )}</td><td class="n">{Written.Count(run.UnitsFinished)}/{Written.Count(run.Units)}</td>{Change(scores, metrics =>
                metrics.Clean ?? metrics.HeldOut.Clean
            )}{Change(scores, metrics => metrics.HeldOut.Attacked ?? metrics.Attacked)}</tr>
            """
        );
    }

    private static Html Change(EvaluationMetrics? scores, Func<ModelMetrics, double?> metric)
    {
        var text =
            scores is null ? Written.Missing
            : scores.Tuned is null ? Written.Percent(metric(scores.Base))
            : $"{Written.Percent(metric(scores.Base))} → {Written.Percent(metric(scores.Tuned))}";
        return Html.Of($"<td class=\"n\">{text}</td>");
    }
}
