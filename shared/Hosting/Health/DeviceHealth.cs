using ClipSae.Hosting.Worker;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace ClipSae.Hosting.Health;

/// <summary>
/// Whether the device of this worker computes. A process whose stages compute nothing has no device and is healthy without.
/// </summary>
internal sealed class DeviceHealth(WorkerDevice device, IEnumerable<DeviceProbe> probes) : IHealthCheck
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);

    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        if (probes.FirstOrDefault() is not { } probe)
        {
            return HealthCheckResult.Healthy("none needed");
        }

        var name = device.Current;
        if (device.Lost is { } reason)
        {
            return HealthCheckResult.Unhealthy(reason);
        }

        try
        {
            await Task.Run(() => probe.Require(name), cancellationToken).WaitAsync(Timeout, cancellationToken);
            return HealthCheckResult.Healthy(name);
        }
        catch (Exception error) when (error is not OperationCanceledException)
        {
            // Whatever a driver throws: the worker cannot compute.
            return HealthCheckResult.Unhealthy($"{name}: {error.Message.Split('\n')[0]}");
        }
    }
}
