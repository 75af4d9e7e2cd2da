using ClipSae.Contracts;
using ClipSae.Hosting;
using MassTransit;
using Microsoft.Extensions.DependencyInjection;

namespace ClipSae.Coordinator;

/// <summary>Adds the coordinator to a process.</summary>
public static class CoordinatorRegistration
{
    // Facts that arrive together share an append, so taking many at once is what keeps bursts cheap.
    private const int FactsAtOnce = 64;

    public static IServiceCollection AddCoordinator(this IServiceCollection services) => services.AddSingleton(
        new BusEndpoint(QueueNames.Coordinator, FactsAtOnce, (queue, provider) =>
            queue.Consumer(() => ActivatorUtilities.CreateInstance<FactConsumer>(provider))));
}
