namespace ClipSae.Pipeline.Runs;

/// <summary>A plan that ends early.</summary>
public static class ShortenedPlan
{
    /// <summary>The plan up to a stage, and the report on what there is by then.</summary>
    public static RunPlan Until(RunPlan plan, string stage)
    {
        var kept = plan
            .Stages.TakeWhile(planned => planned.Stage != stage)
            .Append(plan.Stages.First(planned => planned.Stage == stage))
            .ToList();
        var report = plan.Stages.First(planned => planned.Stage == ParameterSections.Report);
        bool IsThere(InputSelector selector) =>
            InputSource.Parse(selector.From) is not InputSource.StageOutput output || kept.Any(planned => planned.Stage == output.Stage);
        return new RunPlan([
            .. kept,
            report with
            {
                Units = [.. report.Units.Select(unit => unit with { Inputs = [.. unit.Inputs.Where(IsThere)] })],
            },
        ]);
    }
}
