using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Text.Json.Nodes;

namespace ClipSae.Pipeline;

/// <summary>The checkpoints of a unit at work, with a span for each that is saved and the time since the last one as a metric.</summary>
internal sealed class ObservedCheckpoints : ICheckpoints, IDisposable
{
    private static readonly ConcurrentDictionary<ObservedCheckpoints, string> AtWork = new();
    private readonly ICheckpoints _inner;
    private readonly TimeProvider _time;
    private long _since;

    public ObservedCheckpoints(ICheckpoints inner, string stage, TimeProvider time)
    {
        (_inner, _time, _since) = (inner, time, time.GetTimestamp());
        AtWork[this] = stage;
    }

    /// <summary>By stage the age of the oldest, in seconds.</summary>
    public static IEnumerable<Measurement<double>> Ages() => AtWork.GroupBy(unit => unit.Value, StringComparer.Ordinal).Select(stage => new Measurement<double>(
        stage.Max(unit => unit.Key._time.GetElapsedTime(Volatile.Read(ref unit.Key._since)).TotalSeconds),
        KeyValuePair.Create<string, object?>(PipelineTelemetry.StageTag, stage.Key)));

    public async Task SaveAsync(IReadOnlyDictionary<string, string> filesByName, JsonObject state, CancellationToken cancel)
    {
        using var span = PipelineTelemetry.Source.StartActivity("checkpoint");
        await _inner.SaveAsync(filesByName, state, cancel);
        Volatile.Write(ref _since, _time.GetTimestamp());
    }

    public Task<Checkpoint?> LatestAsync(CancellationToken cancel) => _inner.LatestAsync(cancel);

    public void Dispose() => AtWork.TryRemove(this, out _);
}
