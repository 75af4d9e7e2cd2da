using System.Collections.Concurrent;
using ClipSae.Pipeline.Events;
using ClipSae.Pipeline.Runs;

namespace ClipSae.Pipeline.Coordination;

/// <summary>
/// Appends facts to their run's stream and sends what follows from them. Facts that come while an append is being written
/// share the next one. Several coordinators, in one or many processes, may serve the same run.
/// </summary>
public sealed class RunCoordinator(IEventStore events, ICommandSender commands, IEnumerable<IRunObserver> observers, TimeProvider time)
{
    private readonly ConcurrentDictionary<string, RunAggregate> _desks = new(StringComparer.Ordinal);

    /// <summary>Appends what is new in these events, then sends what has become ready. It returns when both are done.</summary>
    public async Task HandleAsync(string run, IReadOnlyList<RunEvent> happened, CancellationToken cancel = default)
    {
        await DeskOf(run).HandleAsync(happened, cancel);
        ForgetEnded(run);
    }

    /// <summary>
    /// Sends again what is outstanding in the store, and takes the next step if none was taken: after a crash between append and send,
    /// a redelivered fact, or a start of the process. Of a run that stops, the units are sent too: who finds that it stops answers.
    /// </summary>
    public async Task RecoverAsync(string run, CancellationToken cancel = default)
    {
        await DeskOf(run).RecoverAsync(cancel);
        ForgetEnded(run);
    }

    /// <summary>The run's state as this coordinator last saw it in the store.</summary>
    public async Task<RunState> StateAsync(string run, CancellationToken cancel = default)
    {
        var desk = DeskOf(run);
        await desk.RefreshAsync(cancel);
        ForgetEnded(run);
        return desk.State;
    }

    private void ForgetEnded(string run)
    {
        if (_desks.TryGetValue(run, out var desk) && desk.State.End is not null)
        {
            // What still comes for an ended run is answered from the store, by a desk of its own.
            _desks.TryRemove(KeyValuePair.Create(run, desk));
        }
    }

    private RunAggregate DeskOf(string run) => _desks.GetOrAdd(run, name => new RunAggregate(name, events, commands, observers, time));
}
