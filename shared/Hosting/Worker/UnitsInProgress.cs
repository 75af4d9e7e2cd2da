using System.Collections.Concurrent;
using ClipSae.Hosting.Settings;

namespace ClipSae.Hosting.Worker;

/// <summary>
/// The units this process has started: a command that comes twice is worked on once, and no more at a time than allowed. A place that
/// becomes free goes to a unit of a run that someone waits for, if there is one.
/// </summary>
public sealed class UnitsInProgress(ClipSaeOptions options, TimeProvider time)
{
    private readonly ConcurrentDictionary<(string Run, string Stage, string Unit), TaskCompletionSource> _taken = new();
    private readonly ConcurrentDictionary<(string Run, string Stage, string Unit), byte> _placed = new();
    private readonly Lock _gate = new();
    private readonly LinkedList<TaskCompletionSource> _interactive = [];
    private readonly LinkedList<TaskCompletionSource> _bulk = [];
    private int _free = options.UnitsAtOnce;

    /// <summary>
    /// Waits for a place, but no longer than given. Where the unit is being worked on already, waits until that has ended and gives null:
    /// the second delivery of a unit must stay open as long as the first, or a crash would leave none.
    /// </summary>
    /// <exception cref="TimeoutException">No place became free in that time.</exception>
    public async Task<IDisposable?> TryTakeAsync(RunUnit unit, TimeSpan timeout, CancellationToken cancel)
    {
        var name = (unit.Run, unit.Stage, unit.Unit);
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var holder = _taken.GetOrAdd(name, ended);
        if (holder != ended)
        {
            await holder.Task.WaitAsync(cancel);
            return null;
        }

        try
        {
            using var late = new CancellationTokenSource(timeout, time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(cancel, late.Token);
            await WaitForPlaceAsync(unit.Interactive ? _interactive : _bulk, either.Token);
        }
        catch (Exception error)
        {
            _taken.TryRemove(name, out _);
            ended.SetResult();
            if (error is OperationCanceledException && !cancel.IsCancellationRequested)
            {
                throw new TimeoutException("every slot is taken", error);
            }

            throw;
        }

        _placed[name] = 0;
        return new Place(this, name, ended);
    }

    /// <summary>What has a place and is being worked on, <c>run: stage/unit</c>.</summary>
    public IReadOnlyList<string> Names() =>
        [.. _placed.Keys.Select(unit => $"{unit.Run}: {unit.Stage}/{unit.Unit}").Order(StringComparer.Ordinal)];

    private async Task WaitForPlaceAsync(LinkedList<TaskCompletionSource> line, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        var turn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        LinkedListNode<TaskCompletionSource> node;
        lock (_gate)
        {
            if (_free > 0)
            {
                _free--;
                return;
            }

            node = line.AddLast(turn);
        }

        using var left = cancel.Register(() =>
        {
            lock (_gate)
            {
                if (node.List is not null)
                {
                    line.Remove(node);
                    turn.SetCanceled(cancel);
                }
            }
        });
        await turn.Task;
    }

    private void Release()
    {
        lock (_gate)
        {
            var line = _interactive.Count > 0 ? _interactive : _bulk;
            if (line.First is not { } first)
            {
                _free++;
                return;
            }

            line.RemoveFirst();
            first.Value.SetResult();
        }
    }

    private sealed class Place(UnitsInProgress owner, (string Run, string Stage, string Unit) name, TaskCompletionSource ended)
        : IDisposable
    {
        public void Dispose()
        {
            owner._placed.TryRemove(name, out _);
            owner.Release();
            owner._taken.TryRemove(name, out _);
            ended.SetResult();
        }
    }
}
