using MassTransit;

namespace ClipSae.Hosting.Runs;

/// <summary>Hears the progress of units at other processes, for those who watch here.</summary>
internal sealed class ProgressConsumer(RunFeed feed) : IConsumer<UnitProgress>
{
    public Task Consume(ConsumeContext<UnitProgress> context)
    {
        feed.Report(context.Message);
        return Task.CompletedTask;
    }
}
