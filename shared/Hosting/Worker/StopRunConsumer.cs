using MassTransit;

namespace ClipSae.Hosting.Worker;

/// <summary>Hears, in every process that has workers, that a run is to stop.</summary>
public sealed class StopRunConsumer(RunCancellations cancellations) : IConsumer<StopRun>
{
    public Task Consume(ConsumeContext<StopRun> context)
    {
        cancellations.StopRun(context.Message.Run);
        return Task.CompletedTask;
    }
}
