using ClipSae.Pipeline.Events;

namespace ClipSae.Pipeline.Stages;

/// <summary>The events of the run so far: for stages that report on the run itself.</summary>
public interface IRunLog
{
    Task<IReadOnlyList<StoredEvent>> ReadAsync(CancellationToken cancel);
}
