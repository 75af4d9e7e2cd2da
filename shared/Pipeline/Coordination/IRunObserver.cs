using ClipSae.Pipeline.Events;

namespace ClipSae.Pipeline.Coordination;

/// <summary>Receives events as soon as they are stored, and where they cannot be.</summary>
public interface IRunObserver
{
    void OnAppended(string run, IReadOnlyList<StoredEvent> events);

    /// <summary>
    /// Events of the run could not be stored or what follows from them not be sent: the run is stalled until someone continues with it.
    /// </summary>
    void OnStalled(string run, Exception error);
}
