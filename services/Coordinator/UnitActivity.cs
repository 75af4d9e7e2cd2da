using ClipSae.Hosting.Bus;
using ClipSae.Pipeline.Runs;
using MassTransit;

namespace ClipSae.Coordinator;

/// <summary>Looks into the queues, and where they are empty listens for a while to what the workers report of their progress.</summary>
public sealed class UnitActivity(IBus bus, BrokerTopology topology, TemporaryNames names, TimeProvider time) : IUnitActivity
{
    // Stages report their progress several times a second; some steps of theirs take longer.
    private static readonly TimeSpan Listening = TimeSpan.FromMinutes(1);

    public async Task<bool> AnyAsync(string run, RunState state, CancellationToken cancel)
    {
        var queues = state
            .StagesInOrder()
            .Where(stage => !stage.Outstanding.IsEmpty)
            .SelectMany(stage => BrokerTopology.QueuesOf(stage.Plan.Stage));
        return await topology.HasWaitingAsync(queues, cancel) || await IsHeardAsync(run, cancel);
    }

    private async Task<bool> IsHeardAsync(string run, CancellationToken cancel)
    {
        var heard = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var endpoint = bus.ConnectReceiveEndpoint(new TemporaryEndpointDefinition("sightings"), names, queue => queue.Handler<UnitProgress>(
                context =>
                {
                    if (context.Message.Run == run)
                    {
                        heard.TrySetResult();
                    }

                    return Task.CompletedTask;
                }
            ));
        try
        {
            await endpoint.Ready.WaitAsync(cancel);
            await heard.Task.WaitAsync(Listening, time, cancel);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
        finally
        {
            await endpoint.StopAsync(CancellationToken.None);
        }
    }
}
