using Microsoft.Extensions.Hosting;

namespace ClipSae.Hosting;

/// <summary>Tells units at work to stop as soon as the process is told to end: before the bus waits for them.</summary>
internal sealed class GracefulStop(IHostApplicationLifetime lifetime, RunCancellations cancellations) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        lifetime.ApplicationStopping.Register(cancellations.StopProcess);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
