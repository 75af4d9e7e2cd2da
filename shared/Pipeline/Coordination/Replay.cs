using System.Text.Json.Nodes;
using ClipSae.Artifacts;
using ClipSae.Pipeline.Runs;
using ClipSae.Pipeline.Stages;

namespace ClipSae.Pipeline.Coordination;

/// <summary>What a replay takes from the run it replays.</summary>
public static class Replay
{
    // One after another, those of ten thousand shards in an object store would take minutes, and whoever waits for the run gives up.
    private const int QuestionsAtOnce = 32;

    /// <summary>The stages of the origin before the chosen one.</summary>
    /// <param name="origin">The origin's state.</param>
    /// <param name="fromStage">Name of a stage or of its section.</param>
    /// <exception cref="UserErrorException">The run is unknown or has no such stage.</exception>
    public static IReadOnlyList<StageState> StagesBefore(RunState origin, string fromStage)
    {
        var stages = origin.StagesInOrder().ToArray();
        var from = Array.FindIndex(stages, stage => stage.Plan.Stage == ParameterSections.StageOf(fromStage));
        return from >= 0
            ? stages[..from]
            : throw new UserErrorException(
                $"the run has no stage {fromStage}; {NearMatches.Describe(fromStage, stages.Select(stage => stage.Plan.Stage))}"
            );
    }

    /// <exception cref="UserErrorException">A section of a stage that is taken as it is differs from the origin's.</exception>
    public static void RequireUnchanged(IEnumerable<StageState> taken, JsonObject before, JsonObject after)
    {
        foreach (var section in taken.Select(stage => ParameterSections.SectionOf(stage.Plan.Stage)))
        {
            UserErrorException.ThrowIf(
                CanonicalJson.Serialize(before[section] ?? new JsonObject()) != CanonicalJson.Serialize(after[section] ?? new JsonObject()),
                $"{section} parameters changed, but the replay starts after that stage: use --from {ParameterSections.StageOf(section)}"
            );
        }
    }

    /// <summary>
    /// A plan that is the origin's up to the chosen stage, so that its units are found again, and the new one from there.
    /// </summary>
    public static RunPlan Combine(RunPlan origin, RunPlan changed, int taken) =>
        new([.. origin.Stages.Take(taken), .. changed.Stages.Skip(taken)]);

    /// <summary>
    /// Facts of the taken stages for the new run. A unit is not taken where it never finished or an output is gone: it is then run like
    /// any other. What the origin continued without stays missing.
    /// </summary>
    public static async Task<IReadOnlyList<UnitFact>> TakeAsync(
        IEnumerable<StageState> taken,
        string origin,
        IArtifactStore artifacts,
        DateTimeOffset now,
        CancellationToken cancel
    )
    {
        var stages = taken.ToArray();
        var finished = stages.SelectMany(stage => stage.FinishedUnits()).ToArray();
        var isWhole = new bool[finished.Length];
        await Parallel.ForEachAsync(
            Enumerable.Range(0, finished.Length),
            new ParallelOptions { MaxDegreeOfParallelism = QuestionsAtOnce, CancellationToken = cancel },
            async (unit, token) => isWhole[unit] = await AllExistAsync(finished[unit].Outputs.Values, artifacts, token)
        );
        return
        [
            .. finished
                .Where((_, unit) => isWhole[unit])
                .Select(unit =>
                    unit with
                    {
                        Cache = new CacheOutcome(CacheKind.Hit, $"taken from run {origin}"),
                        Seconds = 0,
                        StartedAt = now,
                        At = now,
                    }
                ),
            .. stages.SelectMany(stage =>
                stage.FailedUnits().Where(failed => stage.GivenUp.Contains(failed.Unit)).Select(failed => failed with { At = now })
            ),
        ];
    }

    private static async Task<bool> AllExistAsync(IEnumerable<ArtifactRef> outputs, IArtifactStore artifacts, CancellationToken cancel)
    {
        foreach (var output in outputs)
        {
            if (!await artifacts.ExistsAsync(output.Digest, cancel))
            {
                return false;
            }
        }

        return true;
    }
}
