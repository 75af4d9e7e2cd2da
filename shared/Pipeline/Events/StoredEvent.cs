namespace ClipSae.Pipeline.Events;

/// <summary>An event and its place in its run's stream.</summary>
/// <param name="Sequence">From 1 without gaps.</param>
/// <param name="Event">The event.</param>
public sealed record StoredEvent(long Sequence, RunEvent Event);
