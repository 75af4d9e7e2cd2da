using ClipSae.Contracts;
using ClipSae.Hosting;
using ClipSae.Pipeline;

namespace ClipSae.Cli;

/// <summary>How long a run as a whole will still take: stages at work by their own pace, those to come by what they took in earlier runs.</summary>
internal static class WholeRun
{
    private const int RunsLookedAt = 3;

    /// <summary>A line such as <c>whole run: about 4 min 10 s left</c>; where no earlier run tells of a stage, the least that is left.</summary>
    /// <param name="pace">Time a unit, by stage.</param>
    public static string Line(IReadOnlyList<StageBoard> stages, DateTimeOffset now, IReadOnlyDictionary<string, TimeSpan> pace)
    {
        var left = TimeSpan.Zero;
        var unknown = new List<string>();
        foreach (var stage in stages.Where(stage => !stage.IsComplete && !stage.IsFailed && !stage.IsStopped))
        {
            if (stage.Left(now) is { } own)
            {
                left += own;
            }
            else if (pace.TryGetValue(stage.Stage, out var unit))
            {
                left += unit * stage.Units.Values.Sum(waiting => 1 - waiting.Share);
            }
            else if (stage.Stage != ParameterSections.Report)
            {
                unknown.Add(stage.Stage);
            }
        }

        return stages.All(stage => stage.IsComplete) ? "whole run: done"
            : stages.Any(stage => stage.IsFailed) ? "whole run: failed"
            : unknown.Count == 0 ? $"whole run: about {Amounts.Duration(left)} left"
            : $"whole run: {(left == TimeSpan.Zero ? "" : $"{Amounts.Duration(left)} left, and ")}{unknown[0]}{(unknown.Count > 1 ? $" and {unknown.Count - 1} more stages" : "")} to come";
    }

    /// <summary>Mean time of a computed unit of each stage, of the latest completed runs.</summary>
    public static async Task<IReadOnlyDictionary<string, TimeSpan>> PaceAsync(ClipSaeRuntime runtime, string run, CancellationToken cancel)
    {
        var units = (await runtime.LatestCompletedRunsAsync(RunsLookedAt, run, cancel))
            .SelectMany(earlier => earlier.StagesInOrder()).SelectMany(stage => stage.FinishedUnits()).Where(unit => unit.Cache.Kind is not CacheKind.Hit);
        return units.GroupBy(unit => unit.Stage, StringComparer.Ordinal).ToDictionary(stage => stage.Key, stage => TimeSpan.FromSeconds(stage.Average(unit => unit.Seconds)), StringComparer.Ordinal);
    }
}
