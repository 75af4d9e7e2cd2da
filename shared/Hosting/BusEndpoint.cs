using MassTransit;

namespace ClipSae.Hosting;

/// <summary>A queue that this process consumes, registered as a service by whoever has the consumer.</summary>
/// <param name="Queue">Name of the queue.</param>
/// <param name="AtOnce">Messages consumed at once.</param>
/// <param name="Configure">Connects consumers.</param>
public sealed record BusEndpoint(string Queue, int AtOnce, Action<IReceiveEndpointConfigurator, IServiceProvider> Configure)
{
    /// <summary>Whether a message that fails is put back for another try; otherwise it goes to the queue's error queue, and its sender is told.</summary>
    public bool PutsBack { get; init; } = true;
}
