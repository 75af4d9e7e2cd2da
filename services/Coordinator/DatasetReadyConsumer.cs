using ClipSae.Contracts;
using ClipSae.Pipeline;
using MassTransit;
using Microsoft.Extensions.Logging;

namespace ClipSae.Coordinator;

/// <summary>Begins runs. An invalid event goes to the error queue, and its sender is told which field is wrong.</summary>
public sealed class DatasetReadyConsumer(RunStarter starter, RunCoordinator coordinator, ILogger<DatasetReadyConsumer> log) : IConsumer<DatasetReady>
{
    public async Task Consume(ConsumeContext<DatasetReady> context)
    {
        var run = await starter.BeginAsync(context.Message, context.CancellationToken);
        log.LogInformation("run {Run} begins", run);
        if (context.ReceiveContext.Redelivered)
        {
            // Whoever had it before may have died between append and send.
            await coordinator.HealAsync(run, context.CancellationToken);
        }
    }
}
