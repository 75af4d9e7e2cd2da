using System.Runtime.Serialization;
using System.Text.Json;
using MassTransit;

namespace ClipSae.Hosting.Bus;

/// <summary>A queue that this process consumes, registered as a service by whoever has the consumer.</summary>
/// <param name="Queue">Name of the queue.</param>
/// <param name="AtOnce">Messages consumed at once.</param>
/// <param name="Configure">Connects consumers.</param>
public sealed record BusEndpoint(string Queue, int AtOnce, Action<IReceiveEndpointConfigurator, IServiceProvider> Configure)
{
    /// <summary>
    /// Which errors no further try fixes: the message is set aside with its reason, and its sender is informed. A message that fails
    /// otherwise is put back. Default: messages that cannot be read.
    /// </summary>
    public Func<Exception, bool> Refuses { get; init; } = IsUnreadable;

    /// <summary>Whether a message cannot be read, and so never will.</summary>
    public static bool IsUnreadable(Exception error) =>
        error is SerializationException or JsonException || (error.InnerException is { } inner && IsUnreadable(inner));
}
