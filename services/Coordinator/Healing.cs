using System.Collections.Concurrent;
using ClipSae.Pipeline;

namespace ClipSae.Coordinator;

/// <summary>
/// Sends again what a run waits for, but not for each of the many deliveries that one crash brings back: those that come
/// within a moment share one.
/// </summary>
public sealed class Healing(RunCoordinator coordinator, TimeProvider time)
{
    private static readonly TimeSpan Moment = TimeSpan.FromSeconds(5);
    private readonly ConcurrentDictionary<string, Lazy<Task>> _last = new(StringComparer.Ordinal);

    /// <summary>Waits until the run's outstanding units were sent after this call or a moment before it.</summary>
    public async Task HealAsync(string run, CancellationToken cancel)
    {
        var shared = _last.GetOrAdd(run, name => new Lazy<Task>(() => HealOnceAsync(name)));
        await shared.Value.WaitAsync(cancel);
    }

    private async Task HealOnceAsync(string run)
    {
        try
        {
            // The facts that come back with this one are appended first, so that what they settle is not sent again.
            await Task.Delay(TimeSpan.FromMilliseconds(200), time);
            await coordinator.HealAsync(run, CancellationToken.None);
            _ = ForgetLaterAsync(run);
        }
        catch
        {
            _last.TryRemove(run, out _);
            throw;
        }
    }

    private async Task ForgetLaterAsync(string run)
    {
        await Task.Delay(Moment, time);
        _last.TryRemove(run, out _);
    }
}
