using System.Globalization;
using ClipSae.Hosting.Runs;
using ClipSae.Hosting.Service;
using ClipSae.Pages;
using ClipSae.Pipeline.Runs;
using ClipSae.Results;
using ClipSae.Web.Atlas;
using ClipSae.Web.Models;
using ClipSae.Web.Records;
using ClipSae.Web.Security;
using ClipSae.Web.Shell;

namespace ClipSae.Web.Runs;

/// <summary>One run: how far it is, what failed, what came of it, what it was started with, and where it comes from.</summary>
internal sealed class RunPage(ClipSaeRuntime runtime, RunReader reader, WorkersAtWork workers, PageShell shell, TimeProvider time)
{
    private const int FailuresShown = 20;
    private const int LinkedShown = 20;

    public async Task<string> RenderAsync(string run, CancellationToken cancel)
    {
        var record = await reader.ReadAsync(run, cancel);
        var overview = RunOverview.Of(record.Run, record.State);
        var isEnded = record.State.End is not null;
        var pace = isEnded ? new Dictionary<string, TimeSpan>() : await runtime.PaceAsync(run, cancel);
        var board = record.Board.Read(stages => LiveBoard.Render(stages, isEnded, time.GetUtcNow(), pace, isEnded ? [] : workers.On(run)));
        var waits = isEnded ? [] : await runtime.WorkerProblemsAsync(run, cancel);
        return shell.Render(
            run,
            "/",
            Html.Of(
                $"""
                <p class="crumbs"><a href="/">Runs</a> /</p><div class="title"><h1>{run}</h1>{PageShell.Status(
                    overview.StatusName
                )}<div class="buttons">{Buttons(record)}</div></div>
                <p class="facts">{Facts(record, overview)}</p>
                {Links(record)}
                {Problems(record, waits)}
                <section><h2 id="stages">Stages</h2><div{(
                    isEnded ? Html.Empty : Html.Of($" data-live=\"/runs/{run}/live\"")
                )}>{board}</div></section>
                {Scores(record)}
                {CostTable.Render(record)}
                {await LineageAsync(record, cancel)}
                {Parameters(record)}
                {Replay(record)}
                """
            )
        );
    }

    /// <summary>The form of a replay with changes; nothing where changes are not allowed, or the run has not started.</summary>
    private Html Replay(RunRecord record) =>
        !shell.AllowsChanges || record.State.Start is not { } start
            ? Html.Empty
            : Html.Of(
                $"""
                <section><h2 id="replay">Replay with changes</h2><p class="note">A new run, linked with this one: what comes before the stage is taken from here, and of the rest only what the changes affect is computed.</p>
                <form class="try" method="post" action="/runs/{record.Run}/replay"><input type="hidden" name="{AccessGuard.FormField}" value="{shell.FormSecret}">
                <label>From stage <select name="from">{start.Plan.Stages.Select(stage =>
                    Html.Of($"<option>{stage.Stage}</option>")
                )}</select></label>
                <label>Changes, one SECTION.KEY=VALUE a line <textarea name="changes" rows="4" spellcheck="false" placeholder="sae.k=16"></textarea></label>
                <p class="actions"><button class="primary">Replay</button></p></form></section>
                """
            );

    private Html Buttons(RunRecord record) =>
        record.State.End switch
        {
            null when !record.State.CancelRequested => shell.Button($"/runs/{record.Run}/cancel", "Cancel", "danger"),
            RunFailed or RunCancelled => shell.Button($"/runs/{record.Run}/retry", "Retry"),
            _ => Html.Empty,
        };

    private static string Facts(RunRecord record, RunOverview overview)
    {
        var start = record.State.Start;
        string?[] facts =
        [
            start is null ? null : $"started {start.At.ToUniversalTime().ToString("d MMMM yyyy, HH:mm", CultureInfo.InvariantCulture)} UTC",
            overview is { StartedAt: { } began, EndedAt: { } ended } ? $"took {Written.Duration((ended - began).TotalSeconds)}" : null,
            start is null ? null : $"seed {start.Spec.Seed.ToString(CultureInfo.InvariantCulture)}",
            start?.Spec.Inputs.GetValueOrDefault(InputNames.ModelWeights)?.Name,
            start?.Spec.Inputs.GetValueOrDefault(InputNames.DatasetManifest)?.Name,
            start?.Spec.Verify == true ? "verifies stored results" : null,
        ];
        return string.Join(" · ", facts.OfType<string>());
    }

    private static Html Links(RunRecord record)
    {
        var report = record.State.Output(ParameterSections.Report, OutputNames.Report) is null
            ? Html.Empty
            : Html.Of($"<a href=\"/runs/{record.Run}/report\">Report</a>");
        var atlas = AtlasShelf.Units(record) is [var first, ..]
            ? Html.Of($"<a href=\"{AtlasPage.Path(record.Run, first.Unit)}\">Features</a>")
            : Html.Empty;
        var trying = RunModels.AreOf(record) ? Html.Of($"<a href=\"/runs/{record.Run}/try\">Try it</a>") : Html.Empty;
        return Html.Of(
            $"<nav class=\"tabs\" aria-label=\"Of this run\">"
                + $"<a href=\"/runs/{record.Run}/units\">Units and artifacts</a>{atlas}{trying}{report}</nav>"
        );
    }

    private static Html Problems(RunRecord record, IReadOnlyList<string> waits)
    {
        UnitFailed[] failed = [.. record.State.StagesInOrder().SelectMany(stage => stage.FailedUnits()).Take(FailuresShown + 1)];
        if (failed.Length == 0 && waits.Count == 0)
        {
            return Html.Empty;
        }

        var more =
            failed.Length > FailuresShown
                ? Html.Of($"<li><a href=\"/runs/{record.Run}/units?status=failed\">All failures</a></li>")
                : Html.Empty;
        return Html.Of(
            $"""
            <section class="problems"><h2 id="problems">Problems</h2><ul>{waits.Select(line => Html.Of($"<li>{line}</li>"))}{failed.Take(
                FailuresShown
            ).Select(unit =>
                Html.Of(
                    $"<li><b>{unit.Stage}/{unit.Unit}</b> failed after {unit.Attempts} attempt{(unit.Attempts == 1 ? "" : "s")}: {unit.Reason}</li>"
                )
            )}{more}</ul></section>
            """
        );
    }

    private static Html Scores(RunRecord record)
    {
        if (record.Scores is not { } scores)
        {
            return Html.Empty;
        }

        var (before, after) = (scores.Base, scores.Tuned);
        var verdict = after is null
            ? null
            : Verdict.Of(
                before.HeldOut.AttackSuccess ?? before.AttackSuccess,
                before.HeldOut.AttackSuccess is null ? after.AttackSuccess : after.HeldOut.AttackSuccess,
                before.Clean ?? before.HeldOut.Clean,
                before.Clean is null ? after.HeldOut.Clean : after.Clean
            );
        return Html.Of(
            $"""
            <section><h2 id="results">Results</h2>{(
                verdict is null ? Html.Empty : Html.Of($"<p class=\"verdict\">{verdict}</p>")
            )}{ScoreTable.Render("Results", [.. ScoreTable.RowsOf(scores)])}{Autoencoders(record)}</section>
            """
        );
    }

    private static Html Autoencoders(RunRecord record)
    {
        var units = record
            .State.Finished(ParameterSections.Sae)
            .Select(unit =>
                (unit.Unit, Metrics: ResultFormats.AutoencoderMetrics.Read(unit.Metrics, $"metrics of {unit.Stage}/{unit.Unit}"))
            )
            .ToArray();
        var rows = Html.Each(units, sae =>
            $"<tr><th scope=\"row\"><a href=\"{AtlasPage.Path(record.Run, sae.Unit)}\">{sae.Unit}</a></th>"
            + $"<td class=\"n\">{Written.Count(sae.Metrics.Latents)}</td>"
            + $"<td class=\"n\">{Written.Percent(sae.Metrics.ExplainedVariance)}</td>"
            + $"<td class=\"n\">{Written.Number(sae.Metrics.Fvu)}</td><td class=\"n\">{Written.Number(sae.Metrics.L0)}</td>"
            + $"<td class=\"n\">{Written.Percent(sae.Metrics.Dead)}</td><td class=\"n\">{Written.Percent(sae.Metrics.Dense)}</td></tr>"
        );
        string[] numbers = ["Latents", "Explained variance", "FVU", "L0", "Dead", "Dense"];
        Html[] headings = [PageShell.Heading("Hook point"), .. numbers.Select(title => PageShell.NumberHeading(title))];
        return units.Length == 0
            ? Html.Empty
            : Html.Of($"<h3>Autoencoders</h3>{PageShell.Table("Autoencoders", "autoencoders", headings, [rows])}");
    }

    /// <summary>What each stage takes and gives, and the runs that this one is linked with.</summary>
    private async Task<Html> LineageAsync(RunRecord record, CancellationToken cancel)
    {
        if (record.State.Start is not { } start)
        {
            return Html.Empty;
        }

        RunOverview[] replays =
        [
            .. (await runtime.ListRunsAsync(cancel)).Where(other => other.Origin?.Run == record.Run).Reverse().Take(LinkedShown),
        ];
        var origin = start.Spec.Origin is { } from
            ? Html.Of(
                $"<p>Replays <a href=\"/runs/{from.Run}\">{from.Run}</a> from {from.FromStage}. "
                    + $"<a href=\"{PageShell.Address("/compare", ("run", from.Run), ("run", record.Run))}\">Compare</a></p>"
            )
            : Html.Empty;
        var names = Html.Each(replays, (other, place) => $"{(place == 0 ? "" : ", ")}<a href=\"/runs/{other.Run}\">{other.Run}</a>");
        var later = replays.Length == 0 ? Html.Empty : Html.Of($"<p>Replayed by {names}.</p>");
        var table = PageShell.Table(
            "Lineage",
            "takes-gives",
            [PageShell.Heading("Stage"), PageShell.Heading("Takes"), PageShell.Heading("Gives")],
            record.State.StagesInOrder().Select(stage => Lineage(record, stage))
        );
        return Html.Of(
            $"<section><h2 id=\"lineage\">Lineage</h2>{origin}{later}{LineageGraph.Render(record)}"
                + $"<div class=\"below\">{table}</div></section>"
        );
    }

    private static Html Lineage(RunRecord record, StageState stage)
    {
        var takes = stage
            .Plan.Inputs.Concat(stage.Plan.Units.Take(1).SelectMany(unit => unit.Inputs))
            .Select(selector =>
                InputSource.Parse(selector.From) switch
                {
                    InputSource.StageOutput output => $"{output.Stage}: {output.Output}",
                    InputSource.RunInput input => input.Pattern,
                    _ => selector.From,
                }
            )
            .Distinct(StringComparer.Ordinal);
        return Html.Of(
            $"""
            <tr><th scope="row"><a href="{PageShell.Address(
                $"/runs/{record.Run}/units",
                ("stage", stage.Plan.Stage)
            )}">{stage.Plan.Stage}</a></th><td>{string.Join(", ", takes)}</td><td>{string.Join(
                ", ",
                stage.FinishedUnits().FirstOrDefault()?.Outputs.Keys.Order(StringComparer.Ordinal) ?? Enumerable.Empty<string>()
            )}</td></tr>
            """
        );
    }

    private static Html Parameters(RunRecord record)
    {
        if (record.State.Start is not { Spec.Parameters: var given })
        {
            return Html.Empty;
        }

        var rows = RunParameters.Flatten(given).ToArray();
        return Html.Of(
            $"""
            <section><h2 id="parameters">Parameters</h2><p class="note">As given; everything else has its default.</p>
            {(
                rows.Length == 0
                    ? Html.Of($"<p class=\"empty\">All are defaults.</p>")
                    : Html.Wide(
                        "Parameters",
                        Html.Of(
                            $"<table class=\"parameters\"><tbody>{rows.Select(row => Html.Of($"<tr><th scope=\"row\"><code>{row.Name}</code></th><td><code>{row.Value}</code></td></tr>"))}</tbody></table>"
                        )
                    )
            )}</section>
            """
        );
    }
}
