using ClipSae.Pipeline.Runs;

namespace ClipSae.Hosting.Runs;

/// <summary>One line about a run.</summary>
/// <param name="Run">The run.</param>
/// <param name="Status">Where it stands.</param>
/// <param name="StartedAt">When it began.</param>
/// <param name="EndedAt">When it ended, if it has.</param>
/// <param name="Origin">What it replays.</param>
/// <param name="UnitsFinished">Units with a result.</param>
/// <param name="Units">Units in all.</param>
/// <param name="Problem">Why it failed, or what about it cannot be read.</param>
public sealed record RunOverview(
    string Run,
    RunStatus Status,
    DateTimeOffset? StartedAt,
    DateTimeOffset? EndedAt,
    ReplayOrigin? Origin,
    int UnitsFinished,
    int Units,
    string? Problem
)
{
    /// <summary>The status as it is shown.</summary>
    public string StatusName => Status.Name();

    /// <summary>The line about a run that stands as given.</summary>
    public static RunOverview Of(string run, RunState state) =>
        new(
            run,
            state.Status,
            state.Start?.At,
            state.End?.At,
            state.Start?.Spec.Origin,
            state.Stages.Values.Sum(stage => stage.FinishedCount),
            state.Stages.Values.Sum(stage => stage.Plan.Units.Count),
            (state.End as RunFailed)?.Reason ?? state.FirstFailure()?.Reason
        );
}
