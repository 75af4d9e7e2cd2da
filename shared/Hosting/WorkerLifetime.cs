using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace ClipSae.Hosting;

/// <summary>
/// Ends a worker of one unit, for batch schedulers, when that unit is done, or when none has come for long: another worker may have
/// taken the one that it was started for. What the broker hands over meanwhile goes back.
/// </summary>
public sealed class WorkerLifetime(ClipSaeOptions options, IHostApplicationLifetime lifetime, TimeProvider time, ILogger<WorkerLifetime> log) : BackgroundService
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

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!options.Once)
        {
            return;
        }

        await Task.Delay(options.OnceWait, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!stoppingToken.IsCancellationRequested && Interlocked.Exchange(ref _begun, 1) == 0)
        {
            log.LogInformation("no unit has come within {Wait}", options.OnceWait);
            End();
        }
    }
}
