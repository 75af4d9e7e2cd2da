namespace ClipSae.Contracts;

/// <summary>The run was stopped on request; what was finished stays stored and is used by the next run.</summary>
[EventType("run-cancelled/1")]
public sealed record RunCancelled : RunEnded;
