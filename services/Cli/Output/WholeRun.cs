using ClipSae.Hosting.Runs;

namespace ClipSae.Cli.Output;

/// <summary>How long a run as a whole will still take, in a line.</summary>
internal static class WholeRun
{
    /// <summary>
    /// A line such as <c>whole run: about 4 min 10 s left</c>; where no earlier run reports a stage, the least that is left.
    /// </summary>
    /// <param name="pace">Time a unit, by stage.</param>
    public static string Line(IReadOnlyList<StageBoard> stages, DateTimeOffset now, IReadOnlyDictionary<string, TimeSpan> pace)
    {
        var run = RunPace.Of(stages, now, pace);
        return stages.All(stage => stage.IsComplete) ? "whole run: done"
            : stages.Any(stage => stage.IsFailed) ? "whole run: failed"
            : run.ToCome is not { } rest ? $"whole run: about {Amounts.Duration(run.Left)} left"
            : $"whole run: {(run.Left == TimeSpan.Zero ? "" : $"{Amounts.Duration(run.Left)} left, and ")}{rest}";
    }
}
