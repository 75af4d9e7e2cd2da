namespace ClipSae.Contracts;

/// <summary>What the coordinator asks of the workers of a stage.</summary>
/// <param name="Run">The run.</param>
/// <param name="Stage">The stage whose workers are asked.</param>
public abstract record StageCommand(string Run, string Stage);
