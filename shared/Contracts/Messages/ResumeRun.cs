namespace ClipSae.Contracts;

/// <summary>Asks the coordinator to send again what a run waits for: for a run that is stalled because messages were lost.</summary>
/// <param name="Run">The run.</param>
public sealed record ResumeRun(string Run);
