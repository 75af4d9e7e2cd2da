using ClipSae.Artifacts;
using ClipSae.Pipeline.Events;
using ClipSae.Pipeline.Runs;

namespace ClipSae.Pipeline.Pruning;

/// <summary>Makes room in a store: removes what no run refers to, and runs that are not kept.</summary>
public sealed class Pruner(IEventStore events, IObjectStore store, TimeProvider time)
{
    private const string FirstEvent = "00000001.json";
    private const int RemovedAtOnce = 16;

    /// <summary>Finds what can go; nothing is removed yet.</summary>
    /// <param name="keep">Names of the runs that are kept; null keeps all.</param>
    /// <param name="dropped">Stages whose outputs go even where their run is kept; a replay computes them again.</param>
    /// <exception cref="UserErrorException">A run cannot be read, so that nobody can say what it needs.</exception>
    public async Task<PrunePlan> PlanAsync(IReadOnlySet<string>? keep, IReadOnlySet<string> dropped, CancellationToken cancel = default)
    {
        // The inventory comes first: a run that begins after it is in no list of what was seen.
        var items = new List<StoredObject>();
        foreach (var prefix in new[] { "runs/", "stages/", "checkpoints/", "blobs/" })
        {
            items.AddRange(await store.ListAsync(prefix, cancel: cancel));
        }

        var logs = items
            .Where(item => item.Key.Split('/') is ["runs", _, "events", _])
            .ToLookup(item => item.Key.Split('/')[1], item => item.Key.Split('/')[3], StringComparer.Ordinal);
        var seen = (await events.ListRunsAsync(cancel)).Where(logs.Contains).ToHashSet(StringComparer.Ordinal);
        var runs = new Dictionary<string, RunState>(StringComparer.Ordinal);
        // Without it, the run is what a pruning left that was stopped half-way.
        foreach (var run in seen.Where(run => logs[run].Contains(FirstEvent)))
        {
            runs[run] = await StateAsync(run, cancel);
        }

        string[] unfinished = [.. runs.Where(run => run.Value.End is null).Select(run => run.Key).Order(StringComparer.Ordinal)];
        return new PrunePlan(
            seen,
            unfinished,
            PrunePlan.Of(
                runs,
                (keep ?? new HashSet<string>(runs.Keys, StringComparer.Ordinal)).Concat(unfinished).ToHashSet(StringComparer.Ordinal),
                dropped,
                items,
                time.GetUtcNow()
            )
        );
    }

    /// <summary>
    /// Removes what the plan says. What is left when it is stopped half-way is whole: a log goes from its first event, by which a run is
    /// known, and a result before its outputs.
    /// </summary>
    /// <exception cref="UserErrorException">A run had not ended, or one began meanwhile; artifacts are left alone then.</exception>
    public async Task RemoveAsync(PrunePlan plan, CancellationToken cancel = default)
    {
        UserErrorException.ThrowIf(
            plan.Unfinished.Count > 0,
            $"nothing is removed: run {plan.Unfinished[0]} is unfinished; "
                + $"let it end, or stop it with 'clipsae cancel {plan.Unfinished[0]}'"
        );

        foreach (var group in plan.Groups)
        {
            if ((await events.ListRunsAsync(cancel)).FirstOrDefault(run => !plan.Seen.Contains(run)) is { } begun)
            {
                throw new UserErrorException(
                    $"run {begun} started meanwhile and may need what was to be removed: the rest is kept; prune again once it has ended"
                );
            }

            await Parallel.ForEachAsync(
                group.Items,
                new ParallelOptions
                {
                    MaxDegreeOfParallelism = group.Kind == PruneKind.Runs ? 1 : RemovedAtOnce,
                    CancellationToken = cancel,
                },
                async (item, token) => await store.RemoveAsync(item.Key, token)
            );
        }
    }

    private async Task<RunState> StateAsync(string run, CancellationToken cancel)
    {
        try
        {
            return RunState.Fold((await events.ReadAsync(run, 0, cancel)).Select(stored => stored.Event));
        }
        catch (UserErrorException error)
        {
            throw new UserErrorException($"nothing is removed: run {run} cannot be read: {error.Message}", error);
        }
    }
}
