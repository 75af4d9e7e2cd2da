using ClipSae.Hosting.Runs;
using ClipSae.Hosting.Service;
using ClipSae.Pages;
using ClipSae.Pipeline.Runs;
using ClipSae.Results;
using ClipSae.Results.Evaluation;
using ClipSae.Web.Records;
using ClipSae.Web.Shell;

namespace ClipSae.Web.Runs;

/// <summary>Runs next to each other: what they were given differently, and what came of it.</summary>
internal sealed class ComparePage(ClipSaeRuntime runtime, RunReader reader, PageShell shell)
{
    /// <summary>More columns than this no screen holds.</summary>
    public const int MaxRuns = 8;

    private const int Choices = 50;

    /// <param name="names">The runs, in the order in which they are shown; what is over <see cref="MaxRuns"/> is left out.</param>
    public async Task<string> RenderAsync(IReadOnlyList<string> names, CancellationToken cancel)
    {
        var runs = new List<Compared>();
        foreach (var name in names.Distinct(StringComparer.Ordinal).Take(MaxRuns))
        {
            runs.Add(new Compared(((char)('A' + runs.Count)).ToString(), await reader.ReadAsync(name, cancel)));
        }

        var chosen = runs.Select(run => run.Record.Run).ToHashSet(StringComparer.Ordinal);
        RunOverview[] others =
        [
            .. (await runtime.ListRunsAsync(cancel)).Reverse().Where(run => run.Status is not RunStatus.Unknown).Take(Choices),
        ];
        return shell.Render(
            "Compare",
            "/compare",
            Html.Of(
                $"""
                <h1>Compare runs</h1>
                {(runs.Count < 2 ? Html.Of($"<p class=\"lead\">Choose two to {MaxRuns} runs.</p>") : Html.Empty)}
                <details class="choose"{(
                    runs.Count < 2 ? Html.Of($" open") : Html.Empty
                )}><summary>Choose runs</summary><form><ul>{others.Select(run =>
                    Html.Of(
                        $"<li><label><input type=\"checkbox\" name=\"run\" value=\"{run.Run}\"{(chosen.Contains(run.Run) ? Html.Of($" checked") : Html.Empty)}> {run.Run} {PageShell.Status(run.StatusName)}</label></li>"
                    )
                )}</ul><button>Compare</button></form></details>
                {(
                    runs.Count < 2
                        ? Html.Empty
                        : Html.Of(
                            $"{Key(runs)}{Scores(runs)}{await ParametersAsync(runs, cancel)}{await PairedAsync(runs, cancel)}{Costs(runs)}"
                        )
                )}
                """
            )
        );
    }

    private static Html Key(IEnumerable<Compared> runs)
    {
        var items = Html.Each(runs, run =>
            $"<li><b>{run.Letter}</b> <a href=\"/runs/{run.Record.Run}\">{run.Record.Run}</a> "
            + $"{PageShell.Status(run.Record.State.Status.Name())}</li>"
        );
        return Html.Of($"<ul class=\"key-runs\">{items}</ul>");
    }

    private static Html Scores(IReadOnlyList<Compared> runs)
    {
        ScoreTable.Row[] rows =
        [
            .. runs.Where(run => run.Record.Scores is not null).SelectMany(run => ScoreTable.RowsOf(run.Record.Scores!, run.Letter)),
        ];
        return rows.Length == 0
            ? Html.Of($"<section><h2>Metrics</h2><p class=\"empty\">None of these runs has evaluated a model.</p></section>")
            : Html.Of(
                $"<section><h2 id=\"metrics\">Metrics</h2>"
                    + $"{Pareto(rows, runs.ToDictionary(run => run.Letter, run => run.Record.Run))}{ScoreTable.Render("Metrics", rows)}"
                    + $"</section>"
            );
    }

    /// <summary>Clean accuracy against accuracy under attack on the worst family; bases that are one and the same are one mark.</summary>
    /// <param name="names">Runs by letter, for the legend.</param>
    internal static Html Pareto(IEnumerable<ScoreTable.Row> rows, IReadOnlyDictionary<string, string> names)
    {
        var points = (
            from row in rows
            let clean = row.Metrics.Clean ?? row.Metrics.HeldOut.Clean
            let worst = ScoreTable.Worst(row.Metrics)
            where clean is not null && worst is not null
            select new ParetoChart.Point(
                row.Role == "base" ? $"base ({row.Group})" : $"{row.Group} · {row.Name}",
                row.Role == "base" ? "" : row.Group ?? "",
                clean.Value,
                worst.Value.Attacked,
                row.Metrics.WordsHeldOut ?? row.Metrics.Words,
                row.Role == "control"
            )
            {
                Legend = names.GetValueOrDefault(row.Group ?? "", ""),
            }
        )
            .OrderBy(point => point.Letter, StringComparer.Ordinal)
            .DistinctBy(point => point.Letter.Length == 0 ? $"{point.Clean} {point.Attacked}" : point.Name)
            .ToArray();
        return points.Length < 2 ? Html.Empty : new ParetoChart(points, "accuracy under attack, worst family").Render();
    }

    private async Task<Html> ParametersAsync(IReadOnlyList<Compared> runs, CancellationToken cancel)
    {
        var used = new List<IReadOnlyDictionary<string, string>>();
        foreach (var run in runs)
        {
            used.Add(await RunParameters.UsedAsync(runtime, run.Record.State, cancel));
        }

        var inputs = runs.Select(run => run.Record.State.Start?.Spec.Inputs ?? new Dictionary<string, ArtifactRef>()).ToArray();
        (string Name, string[] Values)[] differing =
        [
            .. Differing(used.SelectMany(parameters => parameters.Keys), (name, run) => used[run].GetValueOrDefault(name)),
            .. Differing(inputs.SelectMany(given => given.Keys), (name, run) =>
                inputs[run].GetValueOrDefault(name) is { } input ? $"{input.Name} ({Written.Short(input.Digest)})" : "none"
            ),
            .. Differing(["seed"], (_, run) =>
                runs[run].Record.State.Start?.Spec.Seed.ToString(System.Globalization.CultureInfo.InvariantCulture)
            ),
        ];
        return Html.Of(
            $"""
            <section><h2 id="differences">Parameters and inputs that differ</h2>{(
                differing.Length == 0
                    ? Html.Of($"<p class=\"empty\">None: these runs computed with the same parameters and inputs.</p>")
                    : Table(
                        "Parameters and inputs that differ",
                        runs,
                        differing.Select(row => (row.Name, row.Values.Select(value => Html.Of($"<td><code>{value}</code></td>"))))
                    )
            )}</section>
            """
        );

        // A stage that a run has not come to has no parameters there yet, which is no difference.
        IEnumerable<(string, string[])> Differing(IEnumerable<string> names, Func<string, int, string?> value) =>
            from name in names.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)
            let values = Enumerable.Range(0, runs.Count).Select(run => value(name, run)).ToArray()
            where values.OfType<string>().Distinct(StringComparer.Ordinal).Count() > 1
            select (name, values.Select(text => text ?? Written.Missing).ToArray());
    }

    /// <summary>The tuned model of each run less its base on the same images, as its evaluation stored it.</summary>
    private async Task<Html> PairedAsync(IReadOnlyList<Compared> runs, CancellationToken cancel)
    {
        var problems = new List<string>();
        var stored = new List<ModelScores?>();
        foreach (var run in runs)
        {
            try
            {
                var results = run.Record.State.Output(ParameterSections.Evaluation, OutputNames.Results) is { } artifact
                    ? await ResultFormats.Evaluation.ReadAsync(artifact, runtime.Artifacts.FetchAsync, cancel)
                    : null;
                stored.Add(results?.Models.FirstOrDefault(model => model.Name == results.Tuned));
            }
            catch (UserErrorException error)
            {
                problems.Add($"{run.Letter}: {error.Message}");
                stored.Add(null);
            }
        }

        string[] sets =
        [
            .. stored
                .OfType<ModelScores>()
                .SelectMany(model => model.Sets)
                .Where(set => set.Value.AgainstBase is not null)
                .Select(set => set.Key)
                .Distinct(StringComparer.Ordinal),
        ];
        var told = problems.Select(problem => Html.Of($"<p class=\"problem\">{problem}</p>"));
        return sets.Length == 0 && problems.Count == 0
            ? Html.Empty
            : Html.Of(
                $"""
                <section><h2 id="paired">Tuned against base, paired by image</h2><p class="note">Difference of accuracy in percentage points with its 95 % interval, and the p-value of McNemar's exact test. Each run is compared with its own base on its own evaluation sets.</p>{told}
                {(
                    sets.Length == 0
                        ? Html.Empty
                        : Table(
                            "Tuned against base",
                            runs,
                            sets.Select(set => (set, stored.Select(model => Cell(model?.Sets.GetValueOrDefault(set)?.AgainstBase))))
                        )
                )}</section>
                """
            );
    }

    private static Html Cell(Comparison? against) =>
        against is null
            ? Html.Of($"<td>{Written.Missing}</td>")
            : Html.Of(
                $"<td>{IntervalCell.Difference(against.Accuracy)}"
                    + $"<span class=\"ci\">p {Written.Probability(against.McNemar.PValue)}</span></td>"
            );

    private static Html Costs(IReadOnlyList<Compared> runs)
    {
        var stages = runs.SelectMany(run => run.Record.State.StagesInOrder())
            .Select(stage => stage.Plan.Stage)
            .Distinct(StringComparer.Ordinal);
        return Html.Of(
            $"""
            <section><h2 id="cost">Time by stage</h2><p class="note">Worker time of all units; what was taken from the cache cost nothing in that run.</p>{Table("Time by stage", runs, stages.Select(stage => (stage, runs.Select(run =>
            {
                UnitFinished[] units = [.. run.Record.State.Finished(stage)];
                var hits = units.Count(unit => unit.Cache.Kind is CacheKind.Hit);
                return Html.Of($"<td>{(units.Length == 0 ? Written.Missing : hits == units.Length ? "from cache" : Written.Duration(units.Where(unit => unit.Cache.Kind is not CacheKind.Hit).Sum(unit => unit.Seconds)))}{(hits > 0 && hits < units.Length ? Html.Of($" <small>{hits} of {units.Length} from cache</small>") : Html.Empty)}</td>");
            }))))}</section>
            """
        );
    }

    private static Html Table(string name, IReadOnlyList<Compared> runs, IEnumerable<(string Name, IEnumerable<Html> Cells)> rows) =>
        Html.Wide(
            name,
            Html.Of(
                $"""
                <table class="compared"><thead><tr><td></td>{runs.Select(run =>
                    Html.Of($"<th scope=\"col\">{run.Letter}</th>")
                )}</tr></thead><tbody>{rows.Select(row =>
                    Html.Of($"<tr><th scope=\"row\">{row.Name}</th>{row.Cells}</tr>")
                )}</tbody></table>
                """
            )
        );

    private sealed record Compared(string Letter, RunRecord Record);
}
