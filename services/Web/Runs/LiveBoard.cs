using ClipSae.Hosting.Runs;
using ClipSae.Pages;

namespace ClipSae.Web.Runs;

/// <summary>The stages of a run and how far they are, as a piece of a page. It stays short however many units a stage has.</summary>
internal static class LiveBoard
{
    private const int UnitsShown = 4;
    private const int ValuesShown = 3;
    private const int WorkersShown = 12;

    /// <param name="stages">Read under the board's lock.</param>
    /// <param name="isEnded">Whether the run has its last event: nothing is left then.</param>
    /// <param name="pace">Time of a unit in earlier runs, by stage.</param>
    /// <param name="workers">Those at work on the run.</param>
    public static Html Render(
        IReadOnlyList<StageBoard> stages,
        bool isEnded,
        DateTimeOffset now,
        IReadOnlyDictionary<string, TimeSpan> pace,
        IReadOnlyList<WorkersAtWork.AtWork> workers
    )
    {
        var left = isEnded ? Html.Empty : Html.Of($"<p class=\"left\" role=\"status\">{Whole(stages, now, pace)}</p>");
        return Html.Of($"{left}<ol class=\"stages\">{stages.Select(stage => Stage(stage, now, isEnded))}</ol>{Workers(workers)}");
    }

    private static Html Workers(IReadOnlyList<WorkersAtWork.AtWork> workers) =>
        workers.Count == 0
            ? Html.Empty
            : Html.Of(
                $"""
                <h3>Workers at work</h3><ul class="workers">{workers.Take(WorkersShown).Select(worker =>
                    Html.Of(
                        $"<li><b>{worker.Name}</b> {worker.Device}, {worker.Threads} thread{(worker.Threads == 1 ? "" : "s")}: {string.Join(", ", worker.Units.Take(UnitsShown))}{(worker.Units.Count > UnitsShown ? $" and {worker.Units.Count - UnitsShown} more" : "")}</li>"
                    )
                )}{(workers.Count > WorkersShown ? Html.Of($"<li>and {workers.Count - WorkersShown} more</li>") : Html.Empty)}</ul>
                """
            );

    private static Html Stage(StageBoard stage, DateTimeOffset now, bool isEnded)
    {
        var (css, state) = stage switch
        {
            { IsFailed: true } => ("failed", "failed"),
            { IsStopped: true } => ("stopped", "stopped"),
            { IsComplete: true } when stage.Cached == stage.Units.Count => ("done", "from cache"),
            { IsComplete: true } => ("done", $"done in {Written.Duration(stage.Elapsed(now).TotalSeconds)}"),
            { StartedAt: null } => ("waiting", isEnded ? "not run" : "waiting"),
            _ => ("running", stage.Left(now) is { } left ? $"{Written.Duration(left.TotalSeconds)} left" : "running"),
        };
        string[] told =
        [
            .. stage.Units.Count > 1
                ? [$"{Written.Count(stage.Ended)} of {Written.Count(stage.Units.Count)} units"]
                : Array.Empty<string>(),
            .. stage.Cached > 0 && stage.Cached < stage.Units.Count ? [$"{Written.Count(stage.Cached)} from cache"] : Array.Empty<string>(),
            .. stage.GivenUp.Any() ? [$"{Written.Count(stage.GivenUp.Count())} missing"] : Array.Empty<string>(),
        ];
        return Html.Of(
            $"""
            <li class="{css}"><span class="stage">{stage.Stage}</span><progress max="1" value="{stage.Share:0.####}" aria-label="{stage.Stage}"></progress><span class="state">{state}</span><span class="counts">{string.Join(
                ", ",
                told
            )}</span>
            {(isEnded ? Html.Empty : Working(stage))}</li>
            """
        );
    }

    private static Html Working(StageBoard stage)
    {
        UnitState[] running = [.. stage.Running.Where(unit => unit.Latest is not null)];
        var more = running.Length > UnitsShown ? Html.Of($"<li>and {running.Length - UnitsShown} more</li>") : Html.Empty;
        return running.Length == 0
            ? Html.Empty
            : Html.Of(
                $"<ul class=\"working\">"
                    + $"{running.Take(UnitsShown).Select(unit => Html.Of($"<li><b>{unit.Name}</b> {Progress(unit.Latest!)}</li>"))}{more}"
                    + $"</ul>"
            );
    }

    private static string Progress(UnitProgress progress)
    {
        if (progress.Items.Length == 0)
        {
            return "getting ready";
        }

        var done =
            progress.Total > 0
                ? $"{Written.Count(progress.Done)} of {Written.Count(progress.Total)} {progress.Items}"
                : $"{Written.Count(progress.Done)} {progress.Items}";
        var rate = progress.Rate is { } perSecond and > 0 ? $", {Written.Number(perSecond)} {progress.Items}/s" : "";
        return done
            + rate
            + string.Concat(progress.Values.Take(ValuesShown).Select(value => $", {value.Key} {Written.Number(value.Value)}"));
    }

    private static string Whole(IReadOnlyList<StageBoard> stages, DateTimeOffset now, IReadOnlyDictionary<string, TimeSpan> pace)
    {
        var run = RunPace.Of(stages, now, pace);
        var time = run.Left < TimeSpan.FromSeconds(1) ? null : $"about {Written.Duration(run.Left.TotalSeconds)} left";
        return run.ToCome is { } rest ? $"{(time is null ? "" : $"{time}, and ")}{rest}" : time ?? "less than a second left";
    }
}
