using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;

namespace ClipSae.Pipeline.Stages;

/// <summary>The checkpoints of a unit at work, with a span for each that is saved and the time since the last one as a metric.</summary>
internal sealed class ObservedCheckpoints : ICheckpoints, IDisposable
{
    private static readonly ConcurrentDictionary<ObservedCheckpoints, string> AtWork = new();
    private readonly ICheckpoints _inner;
    private readonly RunUnit _unit;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private long _since;

    public ObservedCheckpoints(ICheckpoints inner, RunUnit unit, TimeProvider time, ILogger log)
    {
        (_inner, _unit, _time, _log, _since) = (inner, unit, time, log, time.GetTimestamp());
        AtWork[this] = unit.Stage;
    }

    /// <summary>By stage the age of the oldest, in seconds.</summary>
    public static IEnumerable<Measurement<double>> Ages() =>
        AtWork
            .GroupBy(unit => unit.Value, StringComparer.Ordinal)
            .Select(stage => new Measurement<double>(
                stage.Max(unit => unit.Key._time.GetElapsedTime(Volatile.Read(ref unit.Key._since)).TotalSeconds),
                KeyValuePair.Create<string, object?>(PipelineTelemetry.StageTag, stage.Key)
            ));

    public async Task SaveAsync(IReadOnlyDictionary<string, string> filesByName, JsonObject state, CancellationToken cancel)
    {
        using var span = PipelineTelemetry.Source.StartActivity("checkpoint");
        await _inner.SaveAsync(filesByName, state, cancel);
        Volatile.Write(ref _since, _time.GetTimestamp());
    }

    public async Task<Checkpoint?> LatestAsync(CancellationToken cancel)
    {
        var latest = await _inner.LatestAsync(cancel);
        if (latest is not null)
        {
            _log.LogInformation(
                "{Run}: {Stage}/{Unit} continues from the checkpoint of step {Step}",
                _unit.Run,
                _unit.Stage,
                _unit.Unit,
                latest.State["step"]
            );
        }

        return latest;
    }

    public void Dispose() => AtWork.TryRemove(this, out _);
}
