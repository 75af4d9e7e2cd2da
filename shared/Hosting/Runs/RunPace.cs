using ClipSae.Pipeline.Runs;

namespace ClipSae.Hosting.Runs;

/// <summary>
/// How long a run as a whole will still take: stages at work by their own pace, those to come by what they took in earlier runs.
/// </summary>
/// <param name="Left">Time left of the stages of which it is known.</param>
/// <param name="Unknown">Stages to come of which no earlier run says anything, in the plan's order.</param>
public sealed record RunPace(TimeSpan Left, IReadOnlyList<string> Unknown)
{
    /// <summary>The stages of which nothing is known, for people; null if there are none.</summary>
    public string? ToCome =>
        Unknown.Count switch
        {
            0 => null,
            1 => $"{Unknown[0]} to come",
            2 => $"{Unknown[0]} and 1 more stage to come",
            _ => FormattableString.Invariant($"{Unknown[0]} and {Unknown.Count - 1} more stages to come"),
        };

    /// <param name="stages">Where the stages stand.</param>
    /// <param name="pace">Time a unit, by stage: <see cref="PerUnit"/>.</param>
    public static RunPace Of(IEnumerable<StageBoard> stages, DateTimeOffset now, IReadOnlyDictionary<string, TimeSpan> pace)
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

        return new RunPace(left, unknown);
    }

    /// <summary>Mean time of a computed unit of each stage in runs.</summary>
    public static IReadOnlyDictionary<string, TimeSpan> PerUnit(IEnumerable<RunState> runs) =>
        runs.SelectMany(run => run.StagesInOrder())
            .SelectMany(stage => stage.FinishedUnits())
            .Where(unit => unit.Cache.Kind is not CacheKind.Hit)
            .GroupBy(unit => unit.Stage, StringComparer.Ordinal)
            .ToDictionary(stage => stage.Key, stage => TimeSpan.FromSeconds(stage.Average(unit => unit.Seconds)), StringComparer.Ordinal);
}
