using ClipSae.Contracts;
using ClipSae.Pipeline;
using MassTransit;
using Microsoft.Extensions.Logging;

namespace ClipSae.Hosting;

/// <summary>Says who this worker is to whoever asks.</summary>
public sealed class FindWorkersConsumer(
    IEnumerable<IStage> stages, WorkerTraits traits, WorkerDevice device, WorkerFitness fitness, UnitsInProgress atWork, ILogger<FindWorkersConsumer> log) : IConsumer<FindWorkers>
{
    public async Task Consume(ConsumeContext<FindWorkers> context)
    {
        try
        {
            await context.RespondAsync(new WorkerPresent(
                StageRunner.Worker,
                WorkerTraits.Software,
                stages.ToDictionary(stage => stage.Name, stage => stage.AlgorithmVersion, StringComparer.Ordinal),
                traits.Threads,
                device.Current,
                atWork.Names(),
                device.Lost ?? fitness.Unfit()));
        }
        catch (Exception error)
        {
            // Who asks waits a moment and goes: whatever keeps the answer from it harms no one.
            log.LogDebug(error, "cannot answer {Asker}", context.Message.Asker);
        }
    }
}
