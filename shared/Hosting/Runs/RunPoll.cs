using ClipSae.Hosting.Settings;
using ClipSae.Pipeline.Coordination;

namespace ClipSae.Hosting.Runs;

/// <summary>
/// Looks at the streams of the runs that this process works on: another process cancels a run by appending, and only looking shows it.
/// </summary>
internal sealed class RunPoll(RunCoordinator coordinator, RunLocks locks, RunFeed feed, ClipSaeOptions options, TimeProvider time)
    : IAsyncDisposable
{
    private readonly CancellationTokenSource _ending = new();
    private Task _polling = Task.CompletedTask;

    public void Start() => _polling = Task.Run(PollAsync, CancellationToken.None);

    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        await _polling;
        _ending.Dispose();
    }

    private async Task PollAsync()
    {
        try
        {
            using var timer = new PeriodicTimer(options.PollInterval, time);
            while (await timer.WaitForNextTickAsync(_ending.Token))
            {
                foreach (var run in locks.Held)
                {
                    await LookAsync(run);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The runtime ends.
        }
    }

    private async Task LookAsync(string run)
    {
        try
        {
            if ((await coordinator.StateAsync(run, _ending.Token)).End is not null)
            {
                locks.Release(run);
            }
        }
        catch (UserErrorException error)
        {
            feed.OnStalled(run, error);
        }
    }
}
