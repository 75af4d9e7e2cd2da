namespace ClipSae.Contracts;

/// <summary>A unit was given up because its run is being cancelled or has failed elsewhere.</summary>
[EventType("unit-stopped/1")]
public sealed record UnitStopped(string Stage, string Unit, string Worker) : UnitFact(Stage, Unit, Worker);
