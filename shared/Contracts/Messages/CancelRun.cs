namespace ClipSae.Contracts;

/// <summary>Asks the coordinator to stop a run for good.</summary>
/// <param name="Run">The run.</param>
/// <param name="Reason">Kept with the run.</param>
public sealed record CancelRun(string Run, string Reason);
