using MassTransit;
using Microsoft.Extensions.DependencyInjection;

namespace ClipSae.Hosting.Bus;

/// <summary>
/// Names of queues that a process has for itself while it runs. They begin with what the process is, since the broker gives rights by
/// names: a client may read its own answers, and no worker's.
/// </summary>
public sealed class TemporaryNames(string start) : DefaultEndpointNameFormatter
{
    /// <summary>Those of the process that has these services.</summary>
    /// <param name="hostsStages">Whether it works on units of the registered stages.</param>
    internal static TemporaryNames Of(IServiceProvider services, bool hostsStages) =>
        new(
            services.GetServices<BusEndpoint>().Any() ? QueueNames.OfCoordinator
            : hostsStages ? QueueNames.OfWorker
            : QueueNames.OfClient
        );

    public override string TemporaryEndpoint(string tag) => start + base.TemporaryEndpoint(tag);
}
