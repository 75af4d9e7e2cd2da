using System.Collections.Concurrent;
using ClipSae.Pipeline.Coordination;

namespace ClipSae.Coordinator;

/// <summary>
/// Sends again what a run waits for, but not for each of the many deliveries that one crash brings back: those that come before the
/// recovery reads the run share it. One that comes later may have found in the run what the recovery did not see, and waits for the next.
/// </summary>
public sealed class RunRecovery(RunCoordinator coordinator, TimeProvider time)
{
    // The facts that come back with the first one are appended meanwhile, so that what they settle is not sent again.
    private static readonly TimeSpan Gathering = TimeSpan.FromMilliseconds(200);

    // Thousands of units may be outstanding: those that keep coming back are gathered for longer.
    private static readonly TimeSpan BetweenRecoveries = TimeSpan.FromSeconds(5);
    private readonly ConcurrentDictionary<string, Lazy<Task>> _next = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, Task> _pauses = new(StringComparer.Ordinal);

    /// <summary>Waits until the run was read after this call, and its outstanding units were sent.</summary>
    public async Task RecoverAsync(string run, CancellationToken cancel)
    {
        var shared = _next.GetOrAdd(run, name => new Lazy<Task>(() => RecoverOnceAsync(name)));
        await shared.Value.WaitAsync(cancel);
    }

    private async Task RecoverOnceAsync(string run)
    {
        await Task.Delay(Gathering, time);
        if (_pauses.TryGetValue(run, out var pause))
        {
            await pause;
        }

        _next.TryRemove(run, out _);
        _pauses[run] = PauseAsync(run);
        await coordinator.RecoverAsync(run, CancellationToken.None);
    }

    private async Task PauseAsync(string run)
    {
        await Task.Delay(BetweenRecoveries, time);
        _pauses.TryRemove(run, out _);
    }
}
