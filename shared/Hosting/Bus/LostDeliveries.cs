using System.Collections.Concurrent;
using MassTransit;
using MassTransit.RabbitMqTransport;
using Microsoft.Extensions.Logging;
using RabbitMQ.Client.Events;

namespace ClipSae.Hosting.Bus;

/// <summary>
/// Units whose delivery was lost with its connection while they are worked on: the broker gives them out again. Their work continues and
/// its result counts, but the consumer lets go of them, since the bus connects a queue's consumer again only when it holds nothing.
/// </summary>
public sealed class LostDeliveries(ILogger<LostDeliveries> log)
{
    private readonly ConcurrentDictionary<Task, Task> _work = new();

    /// <summary>Waits for work that a delivery asks for, or until the delivery is lost.</summary>
    /// <param name="unit">Named in the log.</param>
    /// <param name="work">Begins the work; it is informed whether the delivery is still there.</param>
    public async Task HoldAsync(ConsumeContext delivery, string unit, Func<Func<bool>, Task> work)
    {
        if (!delivery.ReceiveContext.TryGetPayload<ChannelContext>(out var channel))
        {
            await work(() => true);
            return;
        }

        var lost = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Task LoseAsync(object sender, ShutdownEventArgs reason)
        {
            lost.TrySetResult();
            return Task.CompletedTask;
        }

        channel.Channel.ChannelShutdownAsync += LoseAsync;
        try
        {
            var working = work(() => !lost.Task.IsCompleted && channel.Channel.IsOpen);
            if (channel.Channel.IsClosed || await Task.WhenAny(working, lost.Task) != working)
            {
                log.LogWarning(
                    "{Unit}: the connection to the broker is lost; the unit continues, and its result is sent when the broker is back",
                    unit
                );
                Keep(working, unit);
                return;
            }

            await working;
        }
        finally
        {
            channel.Channel.ChannelShutdownAsync -= LoseAsync;
        }
    }

    /// <summary>Waits until no such work is left. A failure to send its outcome has been logged and is not thrown again.</summary>
    public Task EndedAsync(CancellationToken cancel) => Task.WhenAll(_work.Values).WaitAsync(cancel);

    /// <summary>Lets work continue without its delivery; its failure is logged.</summary>
    internal void Keep(Task working, string unit)
    {
        var end = EndAsync();
        _work[working] = end;
        _ = end.ContinueWith(_ => _work.TryRemove(working, out var _), TaskScheduler.Default);

        async Task EndAsync()
        {
            try
            {
                await working;
            }
            catch (Exception error)
            {
                // Whoever was given the unit instead informs the run of it.
                log.LogWarning(error, "{Unit}: its outcome could not be sent after the connection was lost", unit);
            }
        }
    }
}
