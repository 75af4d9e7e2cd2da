namespace ClipSae.Contracts;

/// <summary>A unit gave no result, after all attempts.</summary>
/// <param name="Reason">One line for the user.</param>
/// <param name="Attempts">How often it was tried.</param>
/// <param name="Detail">The full error where it is a defect rather than the user's to fix.</param>
[EventType("unit-failed/1")]
public sealed record UnitFailed(string Stage, string Unit, string Worker, string Reason, int Attempts, string? Detail = null)
    : UnitFact(Stage, Unit, Worker);
