using ClipSae.Hosting.Service;
using ClipSae.Pages;
using ClipSae.Pipeline.Runs;
using ClipSae.Web.Records;
using ClipSae.Web.Security;
using ClipSae.Web.Shell;

namespace ClipSae.Web.Runs;

/// <summary>Replays many runs from one stage on, with the same changes: each a new run, linked with the one that it replays.</summary>
internal sealed class BackfillPage(ClipSaeRuntime runtime, RunReader reader, PageShell shell)
{
    /// <summary>More than this at once nobody means to begin.</summary>
    public const int MaxRuns = 100;

    /// <summary>The form.</summary>
    /// <param name="names">The runs.</param>
    public async Task<string> RenderAsync(IReadOnlyList<string> names, CancellationToken cancel)
    {
        var runs = await ReadAsync(names, cancel);
        string[] stages =
        [
            .. runs.SelectMany(run => run.State.Start?.Plan.Stages ?? []).Select(stage => stage.Stage).Distinct(StringComparer.Ordinal),
        ];
        const string Title = "Replay a stage of several runs";
        var chosen = Html.Each(runs, run =>
            $"<li><label><input type=\"checkbox\" name=\"run\" value=\"{run.Run}\" checked> {run.Run} "
            + $"{PageShell.Status(run.State.Status.Name())}</label></li>"
        );
        var options = Html.Each(stages, stage => $"<option>{stage}</option>");
        var form =
            runs.Count == 0
                ? Html.Of($"<p class=\"lead\">Choose runs in the <a href=\"/\">list of runs</a>.</p>")
                : Html.Of(
                    $"<p class=\"lead\">Of each run a new one, linked with it: what comes before the stage is taken from there, and of the "
                        + $"rest only what the changes affect is computed.</p><form class=\"try\" method=\"post\" action=\"/backfill\">"
                        + $"<input type=\"hidden\" name=\"{AccessGuard.FormField}\" value=\"{shell.FormSecret}\">"
                        + $"<fieldset><legend>Runs</legend><ul class=\"chosen\">{chosen}</ul></fieldset>"
                        + $"<label>From stage <select name=\"from\">{options}</select></label>"
                        + $"<label>Changes, one SECTION.KEY=VALUE a line <textarea name=\"changes\" rows=\"4\" spellcheck=\"false\" "
                        + $"placeholder=\"evaluation.batchSize=16\"></textarea></label>"
                        + $"<p class=\"actions\"><button class=\"primary\">Replay</button></p></form>"
                );
        return shell.Render(Title, "/", Html.Of($"<p class=\"crumbs\"><a href=\"/\">Runs</a> /</p><h1>{Title}</h1>{form}"));
    }

    /// <summary>
    /// Begins the replays, and says of each run what came of it: one that cannot be replayed keeps none of the others from it.
    /// </summary>
    public async Task<string> BeginAsync(IReadOnlyList<string> names, string from, IReadOnlyList<string> changes, CancellationToken cancel)
    {
        var begun = new List<(string Origin, string? Run, string? Problem)>();
        foreach (var run in await ReadAsync(names, cancel))
        {
            try
            {
                begun.Add(
                    (
                        run.Run,
                        await runtime.ReplayAsync(run.Run, from.Length > 0 ? from : null, changes, cancel: CancellationToken.None),
                        null
                    )
                );
            }
            catch (UserErrorException error)
            {
                begun.Add((run.Run, null, error.Message));
            }
        }

        var rows = begun.Select(one =>
        {
            var replay = one.Run is { } run
                ? Html.Of($"<a href=\"/runs/{run}\">{run}</a>")
                : Html.Of($"<span class=\"problem\">{one.Problem}</span>");
            return Html.Of($"<tr><th scope=\"row\"><a href=\"/runs/{one.Origin}\">{one.Origin}</a></th><td>{replay}</td></tr>");
        });
        return shell.Render(
            "Replays",
            "/",
            Html.Of(
                $"<p class=\"crumbs\"><a href=\"/\">Runs</a> /</p><h1>{Written.Count(begun.Count(one => one.Run is not null))} of "
                    + $"{Written.Count(begun.Count)} replays started</h1>"
                    + $"{PageShell.Table("Replays", "replays", [PageShell.Heading("Run"), PageShell.Heading("Replay")], rows)}"
                    + $"<p class=\"actions\"><a href=\"/\">All runs</a></p>"
            )
        );
    }

    private async Task<IReadOnlyList<RunRecord>> ReadAsync(IReadOnlyList<string> names, CancellationToken cancel)
    {
        var chosen = names.Distinct(StringComparer.Ordinal).ToArray();
        UserErrorException.ThrowIf(chosen.Length > MaxRuns, $"{chosen.Length} runs are chosen; at most {MaxRuns} are replayed at once");

        var runs = new List<RunRecord>();
        foreach (var name in chosen)
        {
            runs.Add(await reader.ReadAsync(name, cancel));
        }

        return runs;
    }
}
