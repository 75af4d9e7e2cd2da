namespace ClipSae.Contracts;

/// <summary>A worker's fact on its way to the coordinator.</summary>
/// <param name="Run">The run that the fact belongs to.</param>
/// <param name="Fact">The fact, as it will stand in the run's stream.</param>
public sealed record Reported<TFact>(string Run, TFact Fact)
    where TFact : UnitFact;
