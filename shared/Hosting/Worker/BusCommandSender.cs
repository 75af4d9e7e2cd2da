using ClipSae.Hosting.Bus;
using ClipSae.Pipeline.Coordination;
using ClipSae.Pipeline.Runs;
using MassTransit;

namespace ClipSae.Hosting.Worker;

/// <summary>
/// Sends commands to the queue of their stage. That a run stops is reported to whoever listens, and stands next to its stream for
/// whoever does not.
/// </summary>
public sealed class BusCommandSender(
    IBus bus,
    BusAddresses addresses,
    UnitInputs inputs,
    RunStatusMarkers markers,
    BrokerTopology? topology = null
) : ICommandSender
{
    // The broker confirms each message: sending many at once hides the round trips, and this many fit its flow control.
    private const int SentAtOnce = 64;

    public async Task SendAsync(IReadOnlyList<StageCommand> commands, CancellationToken cancel = default)
    {
        foreach (var stage in commands.GroupBy(command => (command.Stage, IsInteractive: command is RunUnit { Interactive: true })))
        {
            if (topology is not null)
            {
                await topology.DeclareStageAsync(stage.Key.Stage, cancel);
            }

            var queue = await bus.GetSendEndpoint(
                addresses.Of(topology is null ? stage.Key.Stage : QueueNames.OfStage(stage.Key.Stage, stage.Key.IsInteractive))
            );
            await Parallel.ForEachAsync(
                stage,
                new ParallelOptions { MaxDegreeOfParallelism = SentAtOnce, CancellationToken = cancel },
                async (command, token) => await queue.Send((object)await inputs.PackAsync(command, token), command.GetType(), token)
            );
        }
    }

    public async Task StopAsync(string run, RunStatus status, CancellationToken cancel = default)
    {
        // The sign first: a worker listens before it looks, so that it misses at most one of the two.
        await markers.SetAsync(run, status, cancel);
        await bus.Publish(new StopRun(run), cancel);
    }
}
