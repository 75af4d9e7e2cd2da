using ClipSae.Artifacts;
using ClipSae.Pipeline.Runs;

namespace ClipSae.Pipeline.Pruning;

/// <summary>What can go from a store, as a function of its runs and its inventory.</summary>
/// <param name="Seen">Names of all runs that were looked at.</param>
/// <param name="Unfinished">Names of those that have not ended, which are kept in any case: while there are some, nothing is
/// removed.</param>
/// <param name="Groups">What goes, in this order.</param>
public sealed record PrunePlan(IReadOnlySet<string> Seen, IReadOnlyList<string> Unfinished, IReadOnlyList<PruneGroup> Groups)
{
    /// <summary>
    /// Without a run that refers to it only what is older goes: a command may have brought it for the run that it is about to begin.
    /// </summary>
    public static readonly TimeSpan Untouched = TimeSpan.FromHours(1);

    /// <summary>Decides what goes.</summary>
    /// <param name="runs">All runs.</param>
    /// <param name="keep">Names of those that are kept.</param>
    /// <param name="dropped">Stages whose outputs go even where their run is kept.</param>
    /// <param name="items">The store's inventory.</param>
    /// <param name="now">The time.</param>
    public static IReadOnlyList<PruneGroup> Of(
        IReadOnlyDictionary<string, RunState> runs,
        IReadOnlySet<string> keep,
        IReadOnlySet<string> dropped,
        IReadOnlyCollection<StoredObject> items,
        DateTimeOffset now
    )
    {
        var kept = runs.Where(run => keep.Contains(run.Key)).Select(run => run.Value).ToArray();
        var needed = Uses.Of(kept, dropped);
        var known = Uses.Of([.. runs.Values], new HashSet<string>());
        bool Goes(StoredObject item, bool isNeeded, bool isKnown) => !isNeeded && (isKnown || item.Written < now - Untouched);

        // A run that was cancelled or failed may be tried again, and continues from its checkpoints then.
        var mayGoOn = kept.Any(run => run.Status != RunStatus.Completed);
        return
        [
            new PruneGroup(
                PruneKind.Runs,
                [.. Under("runs/").Where(item => Goes(item, keep.Contains(Part(item, 1)), runs.ContainsKey(Part(item, 1))))]
            ),
            new PruneGroup(
                PruneKind.Results,
                [
                    .. Under("stages/")
                        .Where(item =>
                            Part(item, 1) is not ("last" or "defaults" or "versions")
                            && Goes(item, needed.Keys.Contains(Part(item, 1)), known.Keys.Contains(Part(item, 1)))
                        ),
                ]
            ),
            new PruneGroup(PruneKind.Checkpoints, [.. Under("checkpoints/").Where(item => Goes(item, mayGoOn, isKnown: false))]),
            new PruneGroup(
                PruneKind.Artifacts,
                [
                    .. Under("blobs/sha256/")
                        .Where(item =>
                            Goes(
                                item,
                                needed.Digests.Contains(Digest.Prefix + Part(item, 3)),
                                known.Digests.Contains(Digest.Prefix + Part(item, 3))
                            )
                        ),
                ]
            ),
        ];

        IEnumerable<StoredObject> Under(string prefix) => items.Where(item => item.Key.StartsWith(prefix, StringComparison.Ordinal));
    }

    private static string Part(StoredObject item, int index) =>
        item.Key.Split('/') is var parts && parts.Length > index ? parts[index] : "";

    /// <summary>Keys of the units of runs, and digests of all that the runs took and gave.</summary>
    private sealed record Uses(IReadOnlySet<string> Keys, IReadOnlySet<string> Digests)
    {
        public static Uses Of(IReadOnlyCollection<RunState> runs, IReadOnlySet<string> dropped)
        {
            var finished = runs.SelectMany(run => run.StagesInOrder())
                .Where(stage => !dropped.Contains(stage.Plan.Stage))
                .SelectMany(stage => stage.FinishedUnits())
                .ToArray();
            return new Uses(
                finished.Select(unit => unit.Key).ToHashSet(StringComparer.Ordinal),
                finished
                    .SelectMany(unit => unit.Outputs.Values)
                    .Concat(runs.SelectMany(run => run.Start?.Spec.Inputs.Values ?? []))
                    .Select(artifact => artifact.Digest)
                    .ToHashSet(StringComparer.Ordinal)
            );
        }
    }
}
