using ClipSae.Pipeline.Coordination;
using MassTransit;

namespace ClipSae.Coordinator;

/// <summary>Does what users ask of runs that are on their way.</summary>
public sealed class RunRequestsConsumer(RunCoordinator coordinator, RunRecovery recovery, TimeProvider time)
    : IConsumer<CancelRun>,
        IConsumer<ResumeRun>
{
    public Task Consume(ConsumeContext<CancelRun> context) =>
        coordinator.HandleAsync(
            context.Message.Run,
            [new RunCancelRequested(context.Message.Reason) { At = time.GetUtcNow() }],
            context.CancellationToken
        );

    public Task Consume(ConsumeContext<ResumeRun> context) => recovery.RecoverAsync(context.Message.Run, context.CancellationToken);
}
