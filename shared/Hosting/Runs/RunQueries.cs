using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using ClipSae.Pipeline.Events;
using ClipSae.Pipeline.Runs;
using ClipSae.Pipeline.Stages;

namespace ClipSae.Hosting.Runs;

/// <summary>What can be asked about stored runs without working on any.</summary>
internal sealed class RunQueries(IEventStore events, IStageResults results, string dataFolder)
{
    // Enough names for a near match to be among them, few enough to list.
    private const int NamesListed = 20;
    private const int RunsForPace = 3;

    // Nothing is appended to a run that has ended: whoever lists runs again and again reads its events once.
    private readonly ConcurrentDictionary<string, RunOverview> _ended = new(StringComparer.Ordinal);

    /// <exception cref="UserErrorException">There is no such run.</exception>
    public async Task<IReadOnlyList<StoredEvent>> EventsAsync(string run, CancellationToken cancel)
    {
        var stored = await events.ReadAsync(run, 0, cancel);
        if (stored.Count > 0)
        {
            return stored;
        }

        var known = await events.ListRunsAsync(cancel);
        throw new UserErrorException(
            known.Count == 0
                ? $"there is no run {run}: the data folder {dataFolder} has none yet"
                : $"there is no run {run} in {dataFolder}; {NearMatches.Describe(run, known.TakeLast(NamesListed))}"
        );
    }

    /// <exception cref="UserErrorException">There is no such run.</exception>
    public async Task<RunState> StateAsync(string run, CancellationToken cancel) => Folded(await EventsAsync(run, cancel));

    public async Task<IReadOnlyList<RunOverview>> ListAsync(CancellationToken cancel)
    {
        var runs = new List<RunOverview>();
        foreach (var run in await events.ListRunsAsync(cancel))
        {
            if (_ended.TryGetValue(run, out var known))
            {
                runs.Add(known);
                continue;
            }

            try
            {
                var overview = RunOverview.Of(run, Folded(await events.ReadAsync(run, 0, cancel)));
                runs.Add(overview.EndedAt is null ? overview : _ended.GetOrAdd(run, overview));
            }
            catch (UserErrorException error)
            {
                runs.Add(new RunOverview(run, RunStatus.Unknown, null, null, null, 0, 0, error.Message));
            }
        }

        return runs;
    }

    /// <summary>The run that began last; null if there is none.</summary>
    public async Task<string?> LatestAsync(CancellationToken cancel)
    {
        // Names of ClipSae's own sort by time; those that came with events do not, and have to be looked into.
        var known = await events.ListRunsAsync(cancel);
        var newest = known.LastOrDefault(RunName.TellsTime);
        string[] others = [.. known.Where(run => !RunName.TellsTime(run))];
        if (others.Length == 0)
        {
            return newest;
        }

        var began = new List<(string Run, DateTimeOffset At)>();
        foreach (var run in newest is null ? others : [newest, .. others])
        {
            began.Add((run, (await TryStateAsync(run, cancel))?.Start?.At ?? DateTimeOffset.MinValue));
        }

        return began.MaxBy(run => run.At).Run;
    }

    /// <summary>The latest run of this identity that is neither ended nor cancelled. Runs that cannot be read are passed over.</summary>
    /// <param name="today">A stored plan as it would begin today: older versions left defaults out of it.</param>
    public async Task<string?> FindUnfinishedAsync(string identity, Func<RunPlan, RunPlan> today, CancellationToken cancel)
    {
        foreach (var run in (await events.ListRunsAsync(cancel)).Reverse())
        {
            if (
                await TryStateAsync(run, cancel) is { End: null, CancelRequested: false, Start: { } start }
                && TryIdentify(start, today) == identity
            )
            {
                return run;
            }
        }

        return null;
    }

    /// <summary>
    /// Mean time of a computed unit of each stage in the latest completed runs but this one. Runs that cannot be read are passed over.
    /// </summary>
    public async Task<IReadOnlyDictionary<string, TimeSpan>> PaceAsync(string run, CancellationToken cancel)
    {
        var found = new List<RunState>();
        foreach (var earlier in (await events.ListRunsAsync(cancel)).Where(earlier => earlier != run).Reverse())
        {
            if (found.Count == RunsForPace)
            {
                break;
            }

            if (await TryStateAsync(earlier, cancel) is { Status: RunStatus.Completed } state)
            {
                found.Add(state);
            }
        }

        return RunPace.PerUnit(found);
    }

    public async IAsyncEnumerable<UnitExplanation> ExplainAsync(string run, [EnumeratorCancellation] CancellationToken cancel)
    {
        var state = await StateAsync(run, cancel);
        foreach (var unit in state.StagesInOrder().SelectMany(stage => stage.FinishedUnits()))
        {
            yield return new UnitExplanation(unit, (await results.FindAsync(unit.Key, cancel))?.Parts);
        }
    }

    private static string? TryIdentify(RunStarted start, Func<RunPlan, RunPlan> today)
    {
        try
        {
            return RunIdentity.Of(start.Spec, today(start.Plan));
        }
        catch (UserErrorException)
        {
            return null; // its parameters are none any more
        }
    }

    private async Task<RunState?> TryStateAsync(string run, CancellationToken cancel)
    {
        try
        {
            return await StateAsync(run, cancel);
        }
        catch (UserErrorException)
        {
            return null;
        }
    }

    private static RunState Folded(IEnumerable<StoredEvent> stored) => RunState.Fold(stored.Select(one => one.Event));
}
