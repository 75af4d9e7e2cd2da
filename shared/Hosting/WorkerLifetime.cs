using Microsoft.Extensions.Hosting;

namespace ClipSae.Hosting;

/// <summary>Ends a worker of one unit, for batch schedulers, when that unit is done. What the broker hands over meanwhile goes back.</summary>
public sealed class WorkerLifetime(ClipSaeOptions options, IHostApplicationLifetime lifetime)
{
    private int _begun;

    /// <summary>A unit is taken up. The second one of a worker of one unit is refused.</summary>
    public void Begin(RunCancellations cancellations)
    {
        if (options.Once && Interlocked.Exchange(ref _begun, 1) == 1)
        {
            cancellations.StopProcess();
            cancellations.Process.ThrowIfCancellationRequested();
        }
    }

    /// <summary>The unit's fact is told.</summary>
    public void End()
    {
        if (options.Once)
        {
            lifetime.StopApplication();
        }
    }
}
