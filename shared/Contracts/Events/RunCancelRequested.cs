namespace ClipSae.Contracts;

/// <summary>Someone wants the run to stop; units at work are informed, no further ones are given out.</summary>
/// <param name="Reason">Who or why.</param>
[EventType("run-cancel-requested/1")]
public sealed record RunCancelRequested(string Reason) : RunEvent;
