namespace ClipSae.Contracts;

/// <summary>Told to all workers: give up the units of a run.</summary>
/// <param name="Run">The run.</param>
public sealed record StopRun(string Run);
