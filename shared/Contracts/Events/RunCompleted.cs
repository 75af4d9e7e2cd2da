namespace ClipSae.Contracts;

/// <summary>Every unit has its result.</summary>
[EventType("run-completed/1")]
public sealed record RunCompleted : RunEnded;
