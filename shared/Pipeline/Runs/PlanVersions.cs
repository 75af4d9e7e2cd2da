namespace ClipSae.Pipeline.Runs;

/// <summary>
/// Fixes which version of each stage's algorithm computes a run, so that workers of several versions never make one run together.
/// </summary>
public static class PlanVersions
{
    /// <summary>
    /// The plan with the version of each stage from the given one on; earlier stages, and those of unknown version, stay as they are.
    /// </summary>
    /// <param name="versionOf">Version of a stage's algorithm; null where it is not known.</param>
    /// <param name="fromStage">The first stage that is computed again; null for all.</param>
    public static RunPlan Pin(RunPlan plan, Func<string, int?> versionOf, string? fromStage = null)
    {
        var first = fromStage is null ? 0 : plan.Stages.TakeWhile(stage => stage.Stage != fromStage).Count();
        return new RunPlan([
            .. plan.Stages.Select(
                (stage, index) => index < first ? stage : stage with { AlgorithmVersion = versionOf(stage.Stage) ?? stage.AlgorithmVersion }
            ),
        ]);
    }

    /// <summary>
    /// The plan with the versions of another of the same stages, where it has none itself: to hold what is asked for against what was
    /// started.
    /// </summary>
    public static RunPlan PinAs(RunPlan plan, RunPlan begun)
    {
        var versions = begun.Stages.ToDictionary(stage => stage.Stage, stage => stage.AlgorithmVersion, StringComparer.Ordinal);
        return Pin(plan, stage =>
            plan.Stages.First(planned => planned.Stage == stage).AlgorithmVersion ?? versions.GetValueOrDefault(stage)
        );
    }
}
