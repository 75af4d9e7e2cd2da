namespace ClipSae.Contracts;

/// <summary>Where a replay comes from.</summary>
/// <param name="Run">The run that is replayed.</param>
/// <param name="FromStage">The first stage that is looked at again; everything before it is taken from the origin.</param>
public sealed record ReplayOrigin(string Run, string FromStage);
