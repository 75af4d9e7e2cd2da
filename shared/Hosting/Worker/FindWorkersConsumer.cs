using MassTransit;
using Microsoft.Extensions.Logging;

namespace ClipSae.Hosting.Worker;

/// <summary>Says who this worker is to whoever asks.</summary>
public sealed class FindWorkersConsumer(OwnPresence presence, ILogger<FindWorkersConsumer> log) : IConsumer<FindWorkers>
{
    public async Task Consume(ConsumeContext<FindWorkers> context)
    {
        try
        {
            await context.RespondAsync(presence.Now());
        }
        catch (Exception error)
        {
            // Who asks waits a moment and goes: whatever keeps the answer from it harms no one.
            log.LogDebug(error, "cannot answer {Asker}", context.Message.Asker);
        }
    }
}
