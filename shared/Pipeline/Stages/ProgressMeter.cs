using System.Diagnostics;

namespace ClipSae.Pipeline.Stages;

/// <summary>
/// Turns a stage's reports into shown progress: a few a second, with a smoothed rate and the time that remains. Each tenth of the work is
/// a span below the unit's, so that a trace shows where a long unit spent its time.
/// </summary>
internal sealed class ProgressMeter(RunUnit unit, IProgress<UnitProgress> shown, TimeProvider time) : IProgress<StageProgress>
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(200);

    // Older speed fades with this time constant: long enough to be calm, short enough to follow a change.
    private static readonly TimeSpan Smoothing = TimeSpan.FromSeconds(8);

    private const int Parts = 10;
    private readonly ActivityContext _unit = Activity.Current?.Context ?? default;
    private readonly KeyValuePair<string, object?> _stage = KeyValuePair.Create<string, object?>(PipelineTelemetry.StageTag, unit.Stage);
    private readonly Lock _gate = new();
    private long _lastTime;
    private long _lastDone;
    private string? _counted;
    private double? _rate;
    private (long Done, DateTimeOffset At) _part;

    public void Report(StageProgress value)
    {
        lock (_gate)
        {
            var now = time.GetTimestamp();
            if (_counted != value.Unit)
            {
                // What a checkpoint brought along was not done at this speed: the first report only sets the mark. So does the first of
                // another thing that a stage counts, whose speed has nothing to do with the last one's.
                (_lastTime, _lastDone, _counted, _rate) = (now, value.Done, value.Unit, null);
                _part = (value.Done, time.GetUtcNow());
                Show(value);
                return;
            }

            Trace(value);
            var elapsed = time.GetElapsedTime(_lastTime, now);
            if (elapsed < Interval && value.Done < value.Total)
            {
                return;
            }

            Update(value.Done - _lastDone, elapsed);
            (_lastTime, _lastDone) = (now, value.Done);
            Show(value);
        }
    }

    private void Trace(StageProgress value)
    {
        if (value.Total <= 0 || value.Done <= _part.Done || value.Done * Parts / value.Total == _part.Done * Parts / value.Total)
        {
            return;
        }

        var now = time.GetUtcNow();
        using var span = PipelineTelemetry.Source.StartActivity(
            FormattableString.Invariant($"{value.Unit} {_part.Done + 1}-{value.Done} of {value.Total}"),
            ActivityKind.Internal,
            _unit,
            startTime: _part.At
        );
        span?.SetTag(PipelineTelemetry.RunTag, unit.Run)
            .SetTag(PipelineTelemetry.StageTag, unit.Stage)
            .SetTag(PipelineTelemetry.UnitTag, unit.Unit);
        foreach (var (name, metric) in value.Values ?? new Dictionary<string, double>())
        {
            span?.SetTag(name, metric);
        }

        span?.SetEndTime(now.UtcDateTime);
        _part = (value.Done, now);
    }

    private void Update(long done, TimeSpan elapsed)
    {
        if (elapsed <= TimeSpan.Zero || done < 0)
        {
            return;
        }

        PipelineTelemetry.Items.Add(done, _stage);
        var current = done / elapsed.TotalSeconds;
        var weight = _rate is null ? 1 : 1 - Math.Exp(-elapsed / Smoothing);
        _rate = ((1 - weight) * (_rate ?? 0)) + (weight * current);
    }

    private void Show(StageProgress value)
    {
        TimeSpan? remaining =
            _rate > 0 ? TimeSpan.FromSeconds(Math.Min((value.Total - value.Done) / _rate.Value, TimeSpan.MaxValue.TotalSeconds / 2)) : null;
        foreach (var (name, metric) in value.Values ?? new Dictionary<string, double>())
        {
            PipelineTelemetry.Values.Record(metric, _stage, KeyValuePair.Create<string, object?>("name", name));
        }

        shown.Report(
            new UnitProgress(
                unit.Run,
                unit.Stage,
                unit.Unit,
                value.Done,
                value.Total,
                value.Unit,
                _rate,
                remaining,
                value.Values ?? new Dictionary<string, double>()
            )
        );
    }
}
