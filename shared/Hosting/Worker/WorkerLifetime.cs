using ClipSae.Hosting.Settings;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace ClipSae.Hosting.Worker;

/// <summary>
/// Ends a worker of one unit, for batch schedulers, when that unit is done, or when none has come for long: another worker may have
/// taken the one that it was started for. What the broker hands over meanwhile goes back.
/// </summary>
public sealed class WorkerLifetime(
    ClipSaeOptions options,
    IHostApplicationLifetime lifetime,
    TimeProvider time,
    ILogger<WorkerLifetime> log
) : BackgroundService
{
    // So long that whoever asks /ready sees why.
    private static readonly TimeSpan Farewell = TimeSpan.FromSeconds(10);
    private int _begun;

    /// <summary>Why the process ends although nobody asked it to; null where that is not so.</summary>
    public string? Broken { get; private set; }

    /// <summary>A unit is started. The second one of a worker of one unit is refused.</summary>
    public void Begin(RunCancellations cancellations)
    {
        if (options.Once && Interlocked.Exchange(ref _begun, 1) == 1)
        {
            cancellations.StopProcess();
            cancellations.Process.ThrowIfCancellationRequested();
        }
    }

    /// <summary>The unit's fact is reported.</summary>
    public void End()
    {
        if (options.Once)
        {
            lifetime.StopApplication();
        }
    }

    /// <summary>
    /// The process can compute no more; a new one may. It ends after a while, as a failure, so that whatever started it starts another.
    /// </summary>
    public void EndBroken(string reason)
    {
        Broken = reason;
        _ = time.CreateTimer(_ => lifetime.StopApplication(), null, Farewell, Timeout.InfiniteTimeSpan);
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
            log.LogInformation("no unit arrived within {Wait}", options.OnceWait);
            End();
        }
    }
}
