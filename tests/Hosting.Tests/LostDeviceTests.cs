using ClipSae.Hosting.Health;
using ClipSae.Hosting.Settings;
using ClipSae.Hosting.Worker;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace ClipSae.Hosting.Tests;

/// <summary>What a worker of a distributed system does when its card computes no more.</summary>
public class LostDeviceTests
{
    [Fact]
    public async Task It_is_no_longer_ready_and_says_why()
    {
        var device = new WorkerDevice(new ClipSaeOptions { Device = "cuda:0" });
        var health = new DeviceHealth(device, [new DeviceProbe((_, _) => { }, _ => { }, _ => null)]);
        (await health.CheckHealthAsync(new HealthCheckContext())).Status.ShouldBe(HealthStatus.Healthy);

        device.Lose("cuda:0 no longer computes: CUDA error: unspecified launch failure");

        var said = await health.CheckHealthAsync(new HealthCheckContext());
        (said.Status, said.Description).ShouldBe(
            (HealthStatus.Unhealthy, "cuda:0 no longer computes: CUDA error: unspecified launch failure")
        );
    }

    [Fact]
    public void It_ends_as_a_failure_once_that_could_be_seen()
    {
        var time = new FakeTimeProvider();
        var host = new Host();
        using var lifetime = new WorkerLifetime(new ClipSaeOptions(), host, time, NullLogger<WorkerLifetime>.Instance);

        lifetime.EndBroken("cuda:0 no longer computes");

        host.Stopped.ShouldBeFalse();
        time.Advance(TimeSpan.FromSeconds(11));
        (host.Stopped, lifetime.Broken).ShouldBe((true, "cuda:0 no longer computes"));
    }

    private sealed class Host : IHostApplicationLifetime
    {
        public bool Stopped { get; private set; }

        public CancellationToken ApplicationStarted => default;

        public CancellationToken ApplicationStopping => default;

        public CancellationToken ApplicationStopped => default;

        public void StopApplication() => Stopped = true;
    }
}
