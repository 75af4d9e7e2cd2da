using ClipSae.Pipeline.Runs;

namespace ClipSae.Coordinator;

/// <summary>Looks for the units that a run waits for.</summary>
public interface IUnitActivity
{
    /// <summary>
    /// Whether one of them waits in a queue of its stage, or is at work as far as its worker says. It may take a minute.
    /// </summary>
    Task<bool> AnyAsync(string run, RunState state, CancellationToken cancel);
}
