namespace ClipSae.Contracts;

/// <summary>Something that happened in a run. Its stream of events is all there is to know about a run.</summary>
public abstract record RunEvent
{
    /// <summary>When it happened.</summary>
    public required DateTimeOffset At { get; init; }
}
