using ClipSae.Contracts;
using ClipSae.Pipeline.Runs;

namespace ClipSae.Hosting.Runs;

/// <summary>The state of a watched run, folded from its events and the progress of its units. Safe to read while it is written.</summary>
public sealed class RunBoard
{
    private readonly Lock _lock = new();
    private readonly List<StageBoard> _stages = [];

    /// <summary>Takes in an event of the run; events that say nothing about a unit change nothing.</summary>
    public void Apply(RunEvent happened)
    {
        lock (_lock)
        {
            switch (happened)
            {
                case RunStarted started:
                    _stages.Clear();
                    _stages.AddRange(
                        started.Plan.Stages.Select(stage => new StageBoard(
                            stage.Stage,
                            stage.Units.Select(unit => unit.Name),
                            StageState.ToleratedBy(stage)
                        ))
                    );
                    break;
                case UnitFinished finished:
                    var status = finished.Cache.Kind is CacheKind.Hit ? UnitStatus.Cached : UnitStatus.Done;
                    Find(finished.Stage, finished.Unit)?.End(status, finished.StartedAt, finished.At);
                    break;
                case UnitFailed failed:
                    Find(failed.Stage, failed.Unit)?.End(UnitStatus.Failed, null, failed.At);
                    break;
                case UnitsGivenUp givenUp:
                    foreach (var unit in givenUp.Units)
                    {
                        Find(givenUp.Stage, unit)?.End(UnitStatus.GivenUp, null, givenUp.At);
                    }

                    break;
                case UnitStopped stopped:
                    Find(stopped.Stage, stopped.Unit)?.End(UnitStatus.Stopped, null, stopped.At);
                    break;
            }
        }
    }

    /// <summary>Takes in how far a unit has come.</summary>
    public void Apply(UnitProgress progress, DateTimeOffset at)
    {
        lock (_lock)
        {
            Find(progress.Stage, progress.Unit)?.Report(progress, at);
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

    private UnitState? Find(string stage, string unit) => _stages.Find(board => board.Stage == stage)?.Units.GetValueOrDefault(unit);
}
