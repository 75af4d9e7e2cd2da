using MassTransit;
using Microsoft.Extensions.Logging;

namespace ClipSae.Coordinator;

/// <summary>Begins runs. An invalid event goes to the error queue, and its sender is informed which field is wrong.</summary>
public sealed class DatasetReadyConsumer(RunStarter starter, RunRecovery recovery, ILogger<DatasetReadyConsumer> log)
    : IConsumer<DatasetReady>
{
    public async Task Consume(ConsumeContext<DatasetReady> context)
    {
        var (run, isNew) = await starter.BeginAsync(context.Message, context.CancellationToken);
        if (isNew)
        {
            log.LogInformation("run {Run} begins", run);
        }
        else
        {
            // Whoever had the event before may have died between append and send, or never learnt that its append was stored.
            await recovery.RecoverAsync(run, context.CancellationToken);
        }
    }
}
