using ClipSae.Pipeline.Events;
using ClipSae.Pipeline.Runs;
using ClipSae.Pipeline.Stages;
using Microsoft.Extensions.Logging;

namespace ClipSae.Pipeline.Execution;

/// <summary>Says why a unit's result was not there: what differs from the run it replays, or else from the last unit of its name.</summary>
internal sealed class CacheExplainer(IStageResults results, IEventStore events, ILogger log)
{
    // Workers live long, and an origin may have many shards: only its keys are kept, and those of few origins.
    private const int OriginsKept = 4;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, Task<Dictionary<(string Stage, string Unit), string>>> _origins = new(StringComparer.Ordinal);

    /// <summary>
    /// The reason in one line. Where it cannot be known it says so: an explanation is no part of the unit's work and never fails it.
    /// </summary>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public async Task<string> WhyMissAsync(RunUnit command, StageKeyParts parts, CancellationToken cancel)
    {
        try
        {
            return await FindReasonAsync(command, parts, cancel);
        }
        catch (Exception error) when (error is not OperationCanceledException || !cancel.IsCancellationRequested)
        {
            log.LogWarning(
                error,
                "{Run}: {Stage}/{Unit}: cannot find out why its result was missing",
                command.Run,
                command.Stage,
                command.Unit
            );
            return $"unknown: {error.Message.ReplaceLineEndings(" ")}";
        }
    }

    private async Task<string> FindReasonAsync(RunUnit command, StageKeyParts parts, CancellationToken cancel)
    {
        var originKey = command.Origin is null
            ? null
            : (await KeysOfAsync(command.Origin, cancel)).GetValueOrDefault((command.Stage, command.Unit));
        var earlierKey = originKey ?? await results.LastKeyAsync(command.Stage, command.Unit, cancel);
        var earlier = earlierKey is null ? null : await results.FindAsync(earlierKey, cancel);
        if (earlier is null)
        {
            return "no earlier result of this unit in this store";
        }

        var against = originKey is null ? earlier.Run : command.Origin;
        return parts.DifferenceFrom(earlier.Parts) is { } difference
            ? $"{difference} (against run {against})"
            : "its stored result is missing";
    }

    private Task<Dictionary<(string Stage, string Unit), string>> KeysOfAsync(string origin, CancellationToken cancel)
    {
        lock (_gate)
        {
            if (!_origins.TryGetValue(origin, out var keys) || keys is { IsCompleted: true, IsCompletedSuccessfully: false })
            {
                if (_origins.Count >= OriginsKept)
                {
                    _origins.Clear();
                }

                keys = _origins[origin] = ReadKeysAsync(origin);
            }

            return keys.WaitAsync(cancel);
        }
    }

    private async Task<Dictionary<(string Stage, string Unit), string>> ReadKeysAsync(string origin)
    {
        var state = RunState.Fold((await events.ReadAsync(origin)).Select(stored => stored.Event));
        return state
            .Stages.Values.SelectMany(stage => stage.FinishedUnits())
            .ToDictionary(unit => (unit.Stage, unit.Unit), unit => unit.Key);
    }
}
