using ClipSae.Cli.CommandLine;
using ClipSae.Hosting.Runs;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace ClipSae.Cli.Output;

/// <summary>
/// Shows a run while it works: a table that redraws itself on a terminal, and otherwise a line for each change and every ten seconds. It
/// always writes to standard error, so that answers stay clean.
/// </summary>
/// <param name="pace">Time that a unit of each stage took in earlier runs, where known.</param>
internal sealed class ProgressDisplay(Session session, RunBoard board, IReadOnlyDictionary<string, TimeSpan>? pace = null)
{
    private const int BarWidth = 20;
    private const int WideTerminal = 100;

    // The longest names of stages have twenty letters.
    private const int NameWidth = 21;
    private static readonly TimeSpan LiveInterval = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan LineInterval = TimeSpan.FromSeconds(10);
    private readonly Dictionary<string, string> _said = [];
    private readonly IReadOnlyDictionary<string, TimeSpan> _pace = pace ?? new Dictionary<string, TimeSpan>();

    /// <summary>Shows progress until <paramref name="work"/> ends, then its last state.</summary>
    public async Task ShowAsync(Task work)
    {
        if (session.IsErrorInteractive)
        {
            var console = session.ErrorConsole();
            await console
                .Live(Rows(console.Profile.Width))
                .AutoClear(false)
                .StartAsync(async live =>
                {
                    while (await TicksAsync(work, LiveInterval))
                    {
                        live.UpdateTarget(Rows(console.Profile.Width));
                    }

                    live.UpdateTarget(Rows(console.Profile.Width));
                });
        }
        else
        {
            var sinceLine = TimeSpan.Zero;
            while (await TicksAsync(work, LiveInterval))
            {
                sinceLine += LiveInterval;
                SayChanges(sinceLine >= LineInterval);
                sinceLine = sinceLine >= LineInterval ? TimeSpan.Zero : sinceLine;
            }

            SayChanges(withRunning: false);
        }
    }

    /// <summary>One line on a stage, for logs.</summary>
    internal static string Line(StageBoard stage, DateTimeOffset now)
    {
        if (stage.IsComplete)
        {
            return stage.Cached == stage.Units.Count
                ? $"{stage.Stage}: from cache"
                : $"{stage.Stage}: done in {Amounts.Duration(stage.Elapsed(now))}"
                    + (stage.Cached > 0 ? $" ({stage.Cached} of {stage.Units.Count} from cache)" : "")
                    + Missing(stage);
        }

        return stage.IsFailed ? $"{stage.Stage}: failed"
            : stage.IsStopped ? $"{stage.Stage}: stopped"
            : $"{stage.Stage}: "
                + $"{string.Join(", ", new[] { UnitsDone(stage), Detail(stage), LeftText(stage, now) }.Where(text => text.Length > 0))}";
    }

    private Task<bool> TicksAsync(Task work, TimeSpan interval) => TicksAsync(work, interval, session.Time);

    private static async Task<bool> TicksAsync(Task work, TimeSpan interval, TimeProvider time)
    {
        await Task.WhenAny(work, Task.Delay(interval, time));
        return !work.IsCompleted;
    }

    private void SayChanges(bool withRunning)
    {
        var now = session.Time.GetUtcNow();
        var lines = board.Read(stages =>
            stages
                .Where(stage => stage.StartedAt is not null)
                .Select(stage =>
                    (
                        stage.Stage,
                        State: $"{stage.Ended} {stage.IsFailed} {stage.IsStopped}",
                        IsOver: stage.IsComplete || stage.IsFailed || stage.IsStopped,
                        Line: Line(stage, now)
                    )
                )
                .ToArray()
        );
        foreach (var (stage, state, isOver, line) in lines)
        {
            if (_said.GetValueOrDefault(stage) != state || withRunning && !isOver)
            {
                _said[stage] = state;
                session.Tell(line);
            }
        }

        if (withRunning)
        {
            session.Tell(board.Read(stages => WholeRun.Line(stages, now, _pace)));
        }
    }

    private Rows Rows(int width)
    {
        var now = session.Time.GetUtcNow();
        return new Rows(
            board.Read(stages =>
                stages
                    .Select(stage => Row(stage, now, width))
                    .Append(Whole(stages, now))
                    .Select(line => (IRenderable)new Markup(line))
                    .ToArray()
            )
        );
    }

    private string Whole(IReadOnlyList<StageBoard> stages, DateTimeOffset now) =>
        $"[grey]{WholeRun.Line(stages, now, _pace).EscapeMarkup()}[/]";

    /// <summary>
    /// A stage on one line of a terminal, which it must not fill: what would be folded is cut at the end, where the least important stands.
    /// </summary>
    internal static string Row(StageBoard stage, DateTimeOffset now, int width)
    {
        var (mark, style) = stage switch
        {
            { IsFailed: true } => ("✗", "red"),
            { IsStopped: true } => ("■", "grey"),
            { IsComplete: true } => ("✓", "green"),
            { StartedAt: null } => ("·", "grey"),
            _ => ("▸", "yellow"),
        };
        var bar = width < WideTerminal ? BarWidth / 2 : BarWidth;
        var filled = (int)Math.Round(stage.Share * bar);
        var time =
            stage.StartedAt is null ? ""
            : stage.IsComplete && stage.Cached == stage.Units.Count ? "from cache"
            : stage.IsComplete ? Amounts.Duration(stage.Elapsed(now))
            : LeftText(stage, now);
        var told = string.Join("  ", new[] { UnitsDone(stage), time, Detail(stage) + Missing(stage) }.Where(text => text.Length > 0));
        var room = Math.Max(0, width - NameWidth - bar - 4);
        return $"[{style}]{mark}[/] {stage.Stage.PadRight(NameWidth).EscapeMarkup()}"
            + $"[{style}]{new string('━', filled)}[/][grey]{new string('─', bar - filled)}[/] "
            + (told.Length <= room ? told : told[..room]).EscapeMarkup();
    }

    private static string Missing(StageBoard stage) =>
        MissingUnits.Short([.. stage.GivenUp]) is { Length: > 0 } names ? $" without {names}" : "";

    private static string UnitsDone(StageBoard stage) => stage.Units.Count == 1 ? "" : $"{stage.Ended}/{stage.Units.Count}";

    private static string LeftText(StageBoard stage, DateTimeOffset now) =>
        stage.Left(now) is { } left ? $"{Amounts.Duration(left)} left" : "";

    private static string Detail(StageBoard stage) =>
        string.Join(
            "; ",
            stage
                .Running.Where(unit => unit.Latest is not null)
                .Take(2)
                .Select(unit =>
                {
                    var progress = unit.Latest!;
                    var name = stage.Units.Count == 1 ? "" : $"{unit.Name} ";
                    if (progress.Items.Length == 0)
                    {
                        return $"{name}getting ready";
                    }

                    var done =
                        progress.Total > 0 ? $"{progress.Done}/{progress.Total} {progress.Items}" : $"{progress.Done} {progress.Items}";
                    var rate = progress.Rate is { } perSecond and > 0 ? $", {Amounts.Rate(perSecond, progress.Items)}" : "";
                    var values = string.Concat(
                        progress.Values.Take(3).Select(value => $", {value.Key} {Amounts.Significant(value.Value)}")
                    );
                    return $"{name}{done}{rate}{values}";
                })
        );
}
