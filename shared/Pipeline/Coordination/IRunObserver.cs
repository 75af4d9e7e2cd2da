using ClipSae.Pipeline.Events;

namespace ClipSae.Pipeline.Coordination;

/// <summary>Is told of events as soon as they are stored, and where they cannot be.</summary>
public interface IRunObserver
{
    void OnAppended(string run, IReadOnlyList<StoredEvent> events);

    /// <summary>
    /// Events of the run could not be stored or what follows from them not be sent: the run stands still until someone goes on with it.
    /// </summary>
    void OnStalled(string run, Exception error);
}
