using ClipSae.Hosting.Service;
using ClipSae.Pipeline.Events;

namespace ClipSae.Hosting.Runs;

/// <summary>What a watcher of a run sees, in order.</summary>
public abstract record RunUpdate
{
    private RunUpdate() { }

    /// <summary>An event was stored.</summary>
    public sealed record Happened(StoredEvent Stored) : RunUpdate;

    /// <summary>A unit at work in this process has come further.</summary>
    public sealed record Progressed(UnitProgress Progress) : RunUpdate;

    /// <summary>The run cannot continue here: its events cannot be stored. Watching ends with this error.</summary>
    internal sealed record Stalled(Exception Error) : RunUpdate;

    /// <summary>
    /// No process works on the run although it has not ended; the last update. <see cref="ClipSaeRuntime.ResumeAsync"/> continues with it.
    /// </summary>
    public sealed record Abandoned : RunUpdate;
}
