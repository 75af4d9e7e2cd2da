using MassTransit;

namespace ClipSae.Hosting;

/// <summary>A queue that this process consumes, registered as a service by whoever has the consumer.</summary>
/// <param name="Queue">Name of the queue.</param>
/// <param name="AtOnce">Messages consumed at once.</param>
/// <param name="Configure">Connects consumers.</param>
public sealed record BusEndpoint(string Queue, int AtOnce, Action<IReceiveEndpointConfigurator, IServiceProvider> Configure)
{
    /// <summary>
    /// Which errors no further try mends: the message goes to the queue's error queue, and its sender is told. A message that fails
    /// otherwise is put back. Default: every message is put back.
    /// </summary>
    public Func<Exception, bool>? Refuses { get; init; }
}
