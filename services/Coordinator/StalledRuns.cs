using ClipSae.Pipeline.Coordination;
using ClipSae.Pipeline.Events;
using ClipSae.Pipeline.Runs;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace ClipSae.Coordinator;

/// <summary>
/// Looks at the runs that have not ended, when the coordinator starts and now and then. A step that a crash left out is taken; where
/// nothing has happened since the last look, and no unit that the run waits for is to be found, its messages are lost and sent again.
/// </summary>
public sealed class StalledRuns(
    RunCoordinator coordinator,
    RunRecovery recovery,
    IUnitActivity activity,
    IEventStore events,
    RunStatusMarkers markers,
    IHostApplicationLifetime lifetime,
    TimeProvider time,
    ILogger<StalledRuns> log
) : BackgroundService
{
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromMinutes(10);
    private readonly HashSet<string> _ended = new(StringComparer.Ordinal);
    private readonly Dictionary<string, RunState> _seen = new(StringComparer.Ordinal);

    /// <summary>Looks once at every run that has not ended; what cannot be read or sent now is left to the next look.</summary>
    public async Task LookAsync(CancellationToken cancel)
    {
        foreach (var run in (await events.ListRunsAsync(cancel)).Where(run => !_ended.Contains(run)))
        {
            try
            {
                await LookAsync(run, cancel);
            }
            catch (Exception error) when (error is not OperationCanceledException)
            {
                log.LogWarning("run {Run} cannot be checked: {Problem}", run, error.Message);
            }
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // Nothing can be sent before the bus is up.
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var waiting = lifetime.ApplicationStarted.Register(started.SetResult);
        await started.Task.WaitAsync(stoppingToken);
        using var timer = new PeriodicTimer(BetweenLooks, time);
        do
        {
            try
            {
                await LookAsync(stoppingToken);
            }
            catch (Exception error) when (error is not OperationCanceledException)
            {
                log.LogWarning("runs cannot be listed: {Problem}", error.Message);
            }
        } while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    private async Task LookAsync(string run, CancellationToken cancel)
    {
        // The sign spares reading the streams of all that ever ran.
        var state = await markers.FindAsync(run, cancel) is RunStatus.Completed or RunStatus.Failed or RunStatus.Cancelled
            ? null
            : await coordinator.StateAsync(run, cancel);
        if (state is null or { End: not null })
        {
            _ended.Add(run);
            _seen.Remove(run);
            return;
        }

        await coordinator.HandleAsync(run, [], cancel);
        if (ReferenceEquals(state, _seen.GetValueOrDefault(run)) && !await activity.AnyAsync(run, state, cancel))
        {
            log.LogWarning("run {Run} is stalled and its units are in no queue: sending them again", run);
            await recovery.RecoverAsync(run, cancel);
        }

        _seen[run] = await coordinator.StateAsync(run, cancel);
    }
}
