using ClipSae.Hosting.Settings;

namespace ClipSae.Hosting.Bus;

/// <summary>
/// Where messages are sent. On the broker it is an exchange before the queue: its declaration is the same for sender and receiver.
/// </summary>
public sealed class BusAddresses(ClipSaeOptions options)
{
    public Uri Of(string queue) => new(options.IsDistributed ? $"exchange:{QueueNames.Entrance(queue)}" : $"queue:{queue}");
}
