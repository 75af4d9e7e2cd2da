namespace ClipSae.Contracts;

/// <summary>A unit failed, and with it the run.</summary>
/// <param name="Stage">The stage of the unit.</param>
/// <param name="Unit">The unit.</param>
/// <param name="Reason">One line for the user.</param>
[EventType("run-failed/1")]
public sealed record RunFailed(string Stage, string Unit, string Reason) : RunEnded;
