namespace ClipSae.Contracts;

/// <summary>What a run will do. A unit is ready when all stages that its selectors name are complete.</summary>
/// <param name="Stages">The stages in dependency order: a selector names earlier stages only.</param>
public sealed record RunPlan(IReadOnlyList<StagePlan> Stages);
