using ClipSae.Contracts;
using ClipSae.Pipeline;
using MassTransit;

namespace ClipSae.Hosting;

/// <summary>Sends commands to the queue of their stage.</summary>
public sealed class BusCommandSender(IBus bus) : ICommandSender
{
    public async Task SendAsync(IReadOnlyList<StageCommand> commands, CancellationToken cancel = default)
    {
        foreach (var stage in commands.GroupBy(command => command.Stage, StringComparer.Ordinal))
        {
            var queue = await bus.GetSendEndpoint(new Uri("queue:" + stage.Key));
            foreach (var command in stage)
            {
                await queue.Send((object)command, command.GetType(), cancel);
            }
        }
    }

    public Task StopAsync(string run, CancellationToken cancel = default) => bus.Publish(new StopRun(run), cancel);
}
