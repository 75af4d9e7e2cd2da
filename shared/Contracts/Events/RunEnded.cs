namespace ClipSae.Contracts;

/// <summary>The last event of a run.</summary>
public abstract record RunEnded : RunEvent;
