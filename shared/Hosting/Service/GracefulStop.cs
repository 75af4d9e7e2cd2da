using ClipSae.Hosting.Bus;
using ClipSae.Hosting.Worker;
using Microsoft.Extensions.Hosting;

namespace ClipSae.Hosting.Service;

/// <summary>Asks units at work to stop as soon as the process is asked to end: before the bus waits for them.</summary>
internal sealed class GracefulStop(IHostApplicationLifetime lifetime, RunCancellations cancellations, LostDeliveries lost) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        lifetime.ApplicationStopping.Register(cancellations.StopProcess);
        return Task.CompletedTask;
    }

    /// <summary>Comes after the bus, which has waited for the units that it holds; those that it lost are waited for here.</summary>
    public Task StopAsync(CancellationToken cancellationToken) => lost.EndedAsync(cancellationToken);
}
