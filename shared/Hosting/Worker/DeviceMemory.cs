using System.Diagnostics.Metrics;
using ClipSae.Pipeline.Stages;
using Microsoft.Extensions.Hosting;

namespace ClipSae.Hosting.Worker;

/// <summary>Reports the memory of the worker's device as a metric, from the start of the process on.</summary>
internal sealed class DeviceMemory(WorkerDevice device, IEnumerable<DeviceProbe> probes) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        if (probes.FirstOrDefault() is { } probe)
        {
            PipelineTelemetry.ObserveDeviceMemory(() => Observe(probe));
        }

        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private IEnumerable<Measurement<long>> Observe(DeviceProbe probe)
    {
        var name = device.Current;
        return probe.UsedBytes(name) is { } used
            ? [new Measurement<long>(used, KeyValuePair.Create<string, object?>(PipelineTelemetry.DeviceTag, name))]
            : [];
    }
}
