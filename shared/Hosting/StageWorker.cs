using ClipSae.Contracts;
using ClipSae.Pipeline;
using MassTransit;
using Microsoft.Extensions.Logging;

namespace ClipSae.Hosting;

/// <summary>Takes commands of one stage off the bus, runs them and reports the fact. It holds its delivery while it works.</summary>
public sealed class StageWorker(
    StageRunner runner,
    UnitRetry retry,
    UnitsAtWork atWork,
    UnitInputs inputs,
    RunCancellations cancellations,
    WorkerDevice device,
    WorkerLifetime lifetime,
    BusAddresses addresses,
    ClipSaeOptions options,
    IProgress<UnitProgress> progress,
    TimeProvider time,
    ILogger<StageWorker> log) : IConsumer<RunUnit>
{
    public async Task Consume(ConsumeContext<RunUnit> context)
    {
        var unit = context.Message;
        var runStops = cancellations.Run(unit.Run);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(runStops, cancellations.Process);
        var attempts = 0;
        try
        {
            using var place = await atWork.TryTakeAsync(unit, stop.Token);
            if (place is null)
            {
                return;
            }

            lifetime.Begin(cancellations);
            Count(context);
            log.LogInformation("{Run}: {Stage}/{Unit} begins", unit.Run, unit.Stage, unit.Unit);
            var finished = await retry.RunAsync(
                unit,
                async attempt =>
                {
                    attempts = attempt;
                    return await runner.RunAsync(device.Apply(await inputs.UnpackAsync(unit, stop.Token)), progress, stop.Token);
                },
                stop.Token);
            await ReportAsync(context, unit, finished);
            lifetime.End();
        }
        catch (Exception) when (cancellations.Process.IsCancellationRequested)
        {
            // No fact: the unit stays outstanding. Within one process whoever goes on with the run sends it again; on a broker
            // this delivery is spent, and the next worker gets one that has not been counted against the unit.
            if (options.IsDistributed)
            {
                await PutBackAsync(context, unit);
            }
        }
        catch (Exception) when (runStops.IsCancellationRequested)
        {
            await ReportAsync(context, unit, new UnitStopped(unit.Stage, unit.Unit, StageRunner.Worker) { At = time.GetUtcNow() });
            lifetime.End();
        }
        catch (Exception error)
        {
            log.LogError(error, "{Stage}/{Unit} failed", unit.Stage, unit.Unit);
            var detail = error is UserErrorException ? null : error.ToString();
            var reason = error is UserErrorException ? error.Message : $"{error.GetType().Name}: {FirstLine(error.Message)}";
            await ReportAsync(
                context, unit, new UnitFailed(unit.Stage, unit.Unit, StageRunner.Worker, reason, Math.Max(attempts, 1), detail) { At = time.GetUtcNow() });
            lifetime.End();
        }
    }

    private async Task PutBackAsync(ConsumeContext context, RunUnit unit)
    {
        var queue = await context.GetSendEndpoint(addresses.Of(QueueNames.OfStage(unit.Stage, unit.Interactive)));
        await queue.Send(unit, CancellationToken.None);
    }

    private async Task ReportAsync<TFact>(ConsumeContext context, RunUnit unit, TFact fact)
        where TFact : UnitFact
    {
        var coordinator = await context.GetSendEndpoint(addresses.Of(QueueNames.Coordinator));
        await coordinator.Send(new Reported<TFact>(unit.Run, fact), CancellationToken.None);
    }

    private void Count(ConsumeContext<RunUnit> context)
    {
        var stage = KeyValuePair.Create<string, object?>(PipelineTelemetry.StageTag, context.Message.Stage);
        if (context.SentTime is { } sent)
        {
            PipelineTelemetry.QueueWait.Record(Math.Max(0, (time.GetUtcNow().UtcDateTime - sent.ToUniversalTime()).TotalSeconds), stage);
        }

        if (context.ReceiveContext.Redelivered)
        {
            PipelineTelemetry.Redeliveries.Add(1, stage);
        }
    }

    private static string FirstLine(string text) => text.Split('\n')[0].TrimEnd('\r');
}
