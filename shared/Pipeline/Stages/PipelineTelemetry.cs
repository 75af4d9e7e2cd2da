using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace ClipSae.Pipeline.Stages;

/// <summary>Names and instruments of ClipSae's spans and metrics.</summary>
public static class PipelineTelemetry
{
    /// <summary>Name of the activity source and of the meter.</summary>
    public const string Name = "ClipSae";

    public const string RunTag = "clipsae.run.id";
    public const string StageTag = "clipsae.stage";
    public const string StatusTag = "clipsae.run.status";
    public const string UnitTag = "clipsae.unit";
    public const string CacheTag = "clipsae.cache.hit";
    public const string DeviceTag = "clipsae.device";

    /// <summary>The unit's outputs, each <c>name=sha256:…</c>.</summary>
    public const string ArtifactsTag = "clipsae.artifact.digests";

    /// <summary>Spans of the pipeline.</summary>
    public static readonly ActivitySource Source = new(Name);

    private static readonly Meter Meter = new(Name);
    internal static readonly Histogram<double> Duration = Time("clipsae.stage.duration", "Wall time of a unit");
    internal static readonly Counter<long> CacheHits = Count("clipsae.cache.hits", "{unit}", "Units taken from stored results");

    /// <summary>Time between a unit's sending and its taking up.</summary>
    public static readonly Histogram<double> QueueWait = Time("clipsae.queue.wait", "Time a unit waited for a worker");

    /// <summary>Units that came again, because the worker that had them before was lost.</summary>
    public static readonly Counter<long> Redeliveries = Count(
        "clipsae.redeliveries",
        "{unit}",
        "Units that came again because their worker was lost"
    );

    internal static readonly Counter<long> Items = Count("clipsae.items", "{item}", "Images, steps and the like that units have done");
    internal static readonly Gauge<double> Values = Meter.CreateGauge<double>(
        "clipsae.progress.value",
        description: "Figures that stages report as they go, such as the loss"
    );

    /// <summary>Units that were set aside because every worker that took them died.</summary>
    public static readonly Counter<long> DeadUnits = Count(
        "clipsae.units.dead",
        "{unit}",
        "Units set aside because every worker that took them died"
    );

    /// <summary>Memory in use on the device that this process computes on.</summary>
    public static void ObserveDeviceMemory(Func<IEnumerable<Measurement<long>>> observe) =>
        Meter.CreateObservableGauge(
            "clipsae.device.memory",
            observe,
            "By",
            "Memory in use on the device: the whole of a GPU's, the process's own on the CPU"
        );

    internal static readonly ObservableGauge<double> CheckpointAge = Meter.CreateObservableGauge(
        "clipsae.checkpoint.age",
        ObservedCheckpoints.Ages,
        "s",
        "Time since a unit at work began or last saved what it has: what a crash would cost"
    );

    internal static readonly Counter<long> RunsEnded = Count(
        "clipsae.runs.ended",
        "{run}",
        "Runs by how they ended: completed, failed or cancelled"
    );

    internal static readonly Counter<long> Units = Count("clipsae.units", "{unit}", "Units by stage and outcome");

    private static Counter<long> Count(string name, string unit, string description) => Meter.CreateCounter<long>(name, unit, description);

    private static Histogram<double> Time(string name, string description) => Meter.CreateHistogram<double>(name, "s", description);
}
