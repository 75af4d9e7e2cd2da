using System.Collections.Concurrent;
using ClipSae.Contracts;

namespace ClipSae.Pipeline;

/// <summary>Says why a unit's result was not there: what differs from the run it replays, or else from the last unit of its name.</summary>
internal sealed class CacheExplainer(IStageResults results, IEventStore events)
{
    private readonly ConcurrentDictionary<string, Task<RunState>> _origins = new(StringComparer.Ordinal);

    public async Task<string> WhyMissAsync(RunUnit command, StageKeyParts parts, CancellationToken cancel)
    {
        var originKey = command.Origin is null ? null : await KeyInOriginAsync(command.Origin, command.Stage, command.Unit);
        var earlierKey = originKey ?? await results.LastKeyAsync(command.Stage, command.Unit, cancel);
        var earlier = earlierKey is null ? null : await results.FindAsync(earlierKey, cancel);
        if (earlier is null)
        {
            return "no earlier result of this unit in this store";
        }

        var against = originKey is null ? earlier.Run : command.Origin;
        return parts.DifferenceFrom(earlier.Parts) is { } difference ? $"{difference} (against run {against})" : "its stored result was gone";
    }

    private async Task<string?> KeyInOriginAsync(string origin, string stage, string unit)
    {
        var state = await _origins.GetOrAdd(origin, ReadOriginAsync);
        return state.Stages.GetValueOrDefault(stage)?.Finished(unit)?.Key;
    }

    private async Task<RunState> ReadOriginAsync(string origin) =>
        RunState.Fold((await events.ReadAsync(origin)).Select(stored => stored.Event));
}
