using ClipSae.Pipeline.Events;
using ClipSae.Pipeline.Runs;
using ClipSae.Pipeline.Stages;

namespace ClipSae.Pipeline.Coordination;

/// <summary>
/// What one coordinator knows of one run, and its turn-taking: one append at a time, all that waits goes into the next. What follows
/// from an append is sent after its turn, so that facts and cancellations need not wait until thousands of units have been given out.
/// </summary>
internal sealed class RunAggregate(
    string run,
    IEventStore store,
    ICommandSender commands,
    IEnumerable<IRunObserver> observers,
    TimeProvider time
)
{
    private readonly SemaphoreSlim _turn = new(1, 1);
    private readonly Lock _gate = new();
    private List<(IReadOnlyList<RunEvent> Events, TaskCompletionSource Done)> _waiting = [];
    private long _version;
    private RunStatus _told = RunStatus.Running;

    public RunState State { get; private set; } = RunState.Empty;

    public async Task HandleAsync(IReadOnlyList<RunEvent> happened, CancellationToken cancel)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
        {
            _waiting.Add((happened, done));
        }

        await _turn.WaitAsync(cancel);
        Appended? appended;
        try
        {
            appended = await AppendWaitingAsync(cancel);
        }
        finally
        {
            _turn.Release();
        }

        if (appended is not null)
        {
            await SendAsync(appended, cancel);
        }

        await done.Task;
    }

    /// <summary>
    /// Reads what others have appended; where another process has cancelled the run, the workers that this one serves hear of it.
    /// </summary>
    public async Task RefreshAsync(CancellationToken cancel)
    {
        await _turn.WaitAsync(cancel);
        try
        {
            await CatchUpAsync(cancel);
        }
        finally
        {
            _turn.Release();
        }

        await TellAsync(cancel);
    }

    /// <summary>
    /// Reads what others have appended, takes the next step if none was taken, and sends again what a crash may have lost.
    /// </summary>
    public async Task RecoverAsync(CancellationToken cancel)
    {
        _told = RunStatus.Running;
        await RefreshAsync(cancel);
        await HandleAsync([], cancel);
        await commands.SendAsync(RunDecisions.Outstanding(State), cancel);
    }

    private async Task<Appended?> AppendWaitingAsync(CancellationToken cancel)
    {
        List<(IReadOnlyList<RunEvent> Events, TaskCompletionSource Done)> batch;
        lock (_gate)
        {
            (batch, _waiting) = (_waiting, []);
        }

        if (batch.Count == 0)
        {
            return null;
        }

        try
        {
            var send = await AppendAsync([.. batch.SelectMany(waiting => waiting.Events)], cancel);
            return new Appended([.. batch.Select(waiting => waiting.Done)], send);
        }
        catch (Exception error)
        {
            Fail(batch.Select(waiting => waiting.Done), error);
            return null;
        }
    }

    private async Task SendAsync(Appended appended, CancellationToken cancel)
    {
        try
        {
            await TellAsync(cancel);
            await commands.SendAsync(appended.Send, cancel);
            appended.Waiting.ForEach(done => done.SetResult());
        }
        catch (Exception error)
        {
            Fail(appended.Waiting, error);
        }
    }

    /// <summary>
    /// Informs the workers once of each standing in which nothing of the run is to be computed. It goes by the state and not by what was
    /// appended: the process that appended it may have died before it informed anyone.
    /// </summary>
    private async Task TellAsync(CancellationToken cancel)
    {
        var status = State.Status;
        if (status is RunStatus.Unknown or RunStatus.Running || status == _told)
        {
            return;
        }

        await commands.StopAsync(run, status, cancel);
        _told = status;
    }

    private void Fail(IEnumerable<TaskCompletionSource> waiting, Exception error)
    {
        foreach (var done in waiting)
        {
            done.SetException(error);
        }

        if (error is not OperationCanceledException)
        {
            foreach (var observer in observers)
            {
                observer.OnStalled(run, error);
            }
        }
    }

    /// <summary>Appends what is new in these events and what follows from it; gives the commands to send.</summary>
    private async Task<IReadOnlyList<StageCommand>> AppendAsync(List<RunEvent> happened, CancellationToken cancel)
    {
        if (_version == 0)
        {
            await CatchUpAsync(cancel);
        }

        while (true)
        {
            var step = Step(State, happened, time.GetUtcNow());
            if (step.Append.Count == 0)
            {
                return [];
            }

            if (await store.TryAppendAsync(run, _version, step.Append, cancel))
            {
                // Here and not where it is read: of several coordinators, one appends it.
                if (step.State.End is not null && State.End is null)
                {
                    PipelineTelemetry.RunsEnded.Add(
                        1,
                        KeyValuePair.Create<string, object?>(PipelineTelemetry.StatusTag, step.State.Status.ToString().ToLowerInvariant())
                    );
                }

                Advance([.. step.Append.Select((appended, index) => new StoredEvent(_version + index + 1, appended))], step.State);
                return step.Commands;
            }

            await CatchUpAsync(cancel);
        }
    }

    private static (List<RunEvent> Append, IReadOnlyList<StageCommand> Commands, RunState State) Step(
        RunState state,
        IEnumerable<RunEvent> happened,
        DateTimeOffset now
    )
    {
        var append = new List<RunEvent>();
        void Add(RunEvent candidate)
        {
            var next = state.Apply(candidate);
            if (!ReferenceEquals(next, state))
            {
                append.Add(candidate);
                state = next;
            }
        }

        foreach (var candidate in happened)
        {
            // A unit that was delivered twice may be reported twice, in either order. What follows from the first result may be given out
            // already, so the second is not recorded, not even where it was finished earlier and the fold would prefer it.
            if (candidate is not UnitFact fact || state.Finished(fact.Stage, fact.Unit) is null)
            {
                Add(candidate);
            }
        }

        foreach (var givenUp in RunDecisions.GiveUp(state, now))
        {
            Add(givenUp);
        }

        var decided = RunDecisions.Decide(state);
        foreach (var requested in RunDecisions.Record(decided, now))
        {
            Add(requested);
        }

        if (RunDecisions.Conclude(state, now) is { } end)
        {
            Add(end);
        }

        return (append, decided, state);
    }

    private async Task CatchUpAsync(CancellationToken cancel)
    {
        var news = await store.ReadAsync(run, _version, cancel);
        if (news.Count > 0)
        {
            Advance(news, news.Aggregate(State, (state, stored) => state.Apply(stored.Event)));
        }
    }

    private void Advance(IReadOnlyList<StoredEvent> news, RunState state)
    {
        State = state;
        _version = news[^1].Sequence;
        foreach (var observer in observers)
        {
            observer.OnAppended(run, news);
        }
    }

    private sealed record Appended(List<TaskCompletionSource> Waiting, IReadOnlyList<StageCommand> Send);
}
