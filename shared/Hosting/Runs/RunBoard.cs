using ClipSae.Pipeline.Events;
using ClipSae.Pipeline.Runs;

namespace ClipSae.Hosting.Runs;

/// <summary>
/// A run as every view shows it: its state, folded from its events, and how far its units are. Safe to read while it is written.
/// </summary>
public sealed class RunBoard
{
    private readonly Lock _lock = new();
    private readonly List<StageBoard> _stages = [];
    private RunState _state = RunState.Empty;

    /// <summary>Where the run stands.</summary>
    public RunState State
    {
        get
        {
            lock (_lock)
            {
                return _state;
            }
        }
    }

    /// <summary>The board of a run whose events are these.</summary>
    public static RunBoard Of(IEnumerable<StoredEvent> events)
    {
        var board = new RunBoard();
        foreach (var stored in events)
        {
            board.Apply(stored.Event);
        }

        return board;
    }

    /// <summary>Adds what watching the run gave.</summary>
    /// <returns>Whether a process still works on the run.</returns>
    public bool Apply(RunUpdate update, DateTimeOffset at)
    {
        switch (update)
        {
            case RunUpdate.Happened happened:
                Apply(happened.Stored.Event);
                break;
            case RunUpdate.Progressed progressed:
                Apply(progressed.Progress, at);
                break;
        }

        return update is not RunUpdate.Abandoned;
    }

    /// <summary>Takes in an event of the run.</summary>
    public void Apply(RunEvent happened)
    {
        lock (_lock)
        {
            var before = _state;
            _state = before.Apply(happened);
            if (before.Start is null && _state.Start is not null)
            {
                _stages.AddRange(_state.StagesInOrder().Select(stage => new StageBoard(stage)));
            }

            switch (happened)
            {
                case UnitFact fact:
                    Find(fact.Stage)?.Follow(_state.Stages[fact.Stage], [fact.Unit]);
                    break;
                case UnitsGivenUp givenUp:
                    Find(givenUp.Stage)?.Follow(_state.Stages[givenUp.Stage], givenUp.Units, givenUp.At);
                    break;
            }
        }
    }

    /// <summary>Takes in how far a unit has come.</summary>
    public void Apply(UnitProgress progress, DateTimeOffset at)
    {
        lock (_lock)
        {
            Find(progress.Stage)?.Units.GetValueOrDefault(progress.Unit)?.Report(progress, at);
        }
    }

    /// <summary>Reads all stages without their changing meanwhile.</summary>
    public T Read<T>(Func<IReadOnlyList<StageBoard>, T> reader)
    {
        lock (_lock)
        {
            return reader(_stages);
        }
    }

    private StageBoard? Find(string stage) => _stages.Find(board => board.Stage == stage);
}
