using ClipSae.Pipeline.Coordination;
using MassTransit;

namespace ClipSae.Coordinator;

/// <summary>Brings the workers' facts to the coordinator; a delivery is done when its fact is stored and what follows is sent.</summary>
public sealed class FactConsumer(RunCoordinator coordinator, RunRecovery recovery)
    : IConsumer<Reported<UnitFinished>>,
        IConsumer<Reported<UnitFailed>>,
        IConsumer<Reported<UnitStopped>>
{
    public Task Consume(ConsumeContext<Reported<UnitFinished>> context) => HandleAsync(context, context.Message.Run, context.Message.Fact);

    public Task Consume(ConsumeContext<Reported<UnitFailed>> context) => HandleAsync(context, context.Message.Run, context.Message.Fact);

    public Task Consume(ConsumeContext<Reported<UnitStopped>> context) => HandleAsync(context, context.Message.Run, context.Message.Fact);

    private async Task HandleAsync(ConsumeContext context, string run, UnitFact fact)
    {
        await coordinator.HandleAsync(run, [fact], context.CancellationToken);
        if (context.ReceiveContext.Redelivered)
        {
            // Whoever had it before may have died between append and send.
            await recovery.RecoverAsync(run, context.CancellationToken);
        }
    }
}
