namespace ClipSae.Pipeline;

/// <summary>Is told of events as soon as they are stored.</summary>
public interface IRunObserver
{
    void OnAppended(string run, IReadOnlyList<StoredEvent> events);
}
