using MassTransit;

namespace ClipSae.Hosting.Bus;

/// <summary>Something that this process hears only while it runs: a queue of its own that goes with it.</summary>
/// <param name="Name">Part of the queue's name.</param>
/// <param name="Configure">Connects consumers.</param>
public sealed record BusListener(string Name, Action<IReceiveEndpointConfigurator, IServiceProvider> Configure);
