using System.Diagnostics;
using System.Globalization;
using ClipSae.Hosting.Bus;
using ClipSae.Hosting.Settings;
using ClipSae.Pipeline.Execution;
using ClipSae.Pipeline.Stages;
using MassTransit;
using Microsoft.Extensions.Logging;

namespace ClipSae.Hosting.Worker;

/// <summary>
/// Takes commands of one stage off the bus, runs them and reports the fact. It holds its delivery while it works, and gives it back where
/// it has no place for it: a stage has two queues, and what waits behind a unit of the other may be what an idle worker looks for.
/// </summary>
public sealed class StageWorker(
    StageRunner runner,
    UnitRetry retry,
    UnitsInProgress atWork,
    UnitInputs inputs,
    RunCancellations cancellations,
    WorkerDevice device,
    WorkerCards cards,
    WorkerLifetime lifetime,
    LostDeliveries lost,
    WorkerFitness fitness,
    BusAddresses addresses,
    ClipSaeOptions options,
    IProgress<UnitProgress> progress,
    TimeProvider time,
    ILogger<StageWorker> log
) : IConsumer<RunUnit>
{
    /// <summary>
    /// The log entry of a unit that fails. The run's own events carry the reason too; who shows those need not show this.
    /// </summary>
    public static EventId UnitFails { get; } = new(1, nameof(UnitFails));

    // Short compared with a unit that is worth another worker, long compared with the message that giving back costs.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan MaxSend = TimeSpan.FromSeconds(30);
    private const string DeathsHeader = "clipsae-deaths";
    private const string FaultsHeader = "clipsae-worker-faults";
    private const string DeliveriesHeader = "x-delivery-count";

    public Task Consume(ConsumeContext<RunUnit> context) =>
        lost.HoldAsync(context, $"{context.Message.Stage}/{context.Message.Unit}", isThere => ConsumeAsync(context, isThere));

    private async Task ConsumeAsync(ConsumeContext<RunUnit> context, Func<bool> isThere)
    {
        var unit = context.Message;
        if (options.IsDistributed && DeathsOf(context) > options.Broker.DeliveryLimit)
        {
            await SendAsync(context, QueueNames.DeadUnits);
            return;
        }

        if (options.IsDistributed && (device.Lost ?? fitness.Unfit()) is not null)
        {
            // Not at once, for this worker would be given it again before another has taken it.
            await Task.Delay(Patience, time, CancellationToken.None);
            await PutBackAsync(context, isThere);
            return;
        }

        if (options.IsDistributed && runner.VersionMismatch(unit) is { } mismatch)
        {
            log.LogWarning("{Run}: {Stage}/{Unit} goes back to the queue: {Reason}", unit.Run, unit.Stage, unit.Unit, mismatch);
            await Task.Delay(Patience, time, CancellationToken.None);
            await PutBackAsync(context, isThere);
            return;
        }

        var runStops = cancellations.Run(unit.Run);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(runStops, cancellations.Process);
        IDisposable? place = null;
        try
        {
            place = await atWork.TryTakeAsync(unit, options.IsDistributed ? Patience : Timeout.InfiniteTimeSpan, stop.Token);
            if (place is null)
            {
                return;
            }
        }
        catch (TimeoutException)
        {
            await PutBackAsync(context, isThere);
            return;
        }
        catch (OperationCanceledException)
        {
            // There is no place to wait for any more; what comes of the unit is said below.
        }

        // The place is kept until the outcome is reported, and a second delivery of the unit stays open as long: where reporting fails,
        // this delivery goes back to the broker and the unit's result is reported by whoever gets it next.
        using (place)
        {
            UnitFact? fact;
            try
            {
                fact = await OutcomeAsync(context, runStops, stop.Token);
            }
            catch (LostCardException error)
            {
                // What may be the unit's fault counts as if it had killed its worker, so that it does not take card after card.
                log.LogError(error, "{Stage}/{Unit} goes back to the queue: {Reason}", unit.Stage, unit.Unit, error.Message);
                device.Lose(error.Message);
                await PutBackAsync(context, isThere, deaths: 1);
                lifetime.EndBroken(error.Message);
                return;
            }
            catch (WorkerFaultException error)
            {
                log.LogError(
                    error,
                    "{Stage}/{Unit} goes back to the queue, and this worker accepts no units: {Reason}",
                    unit.Stage,
                    unit.Unit,
                    error.Message
                );
                fitness.Leave(error);
                await PutBackAsync(context, isThere, faults: 1);
                if (options.Once)
                {
                    lifetime.EndBroken(error.Message);
                }

                return;
            }

            if (fact is not null)
            {
                try
                {
                    await ReportAsync(context, unit.Run, fact);
                }
                finally
                {
                    if (place is not null)
                    {
                        lifetime.End();
                    }
                }
            }
            else if (options.IsDistributed)
            {
                // Within one process whoever continues with the run sends the unit again.
                await PutBackAsync(context, isThere);
            }
        }
    }

    /// <summary>The fact that settles the unit; null where this process stops, so that the unit stays outstanding.</summary>
    private async Task<UnitFact?> OutcomeAsync(ConsumeContext<RunUnit> context, CancellationToken runStops, CancellationToken stop)
    {
        var unit = context.Message;
        var attempts = 0;
        try
        {
            stop.ThrowIfCancellationRequested();
            lifetime.Begin(cancellations);
            Count(context);
            return await retry.RunAsync(
                unit,
                async attempt =>
                {
                    attempts = attempt;
                    return await RunAsync(unit, stop);
                },
                stop
            );
        }
        catch (Exception) when (cancellations.Process.IsCancellationRequested)
        {
            return null;
        }
        catch (Exception) when (runStops.IsCancellationRequested)
        {
            return new UnitStopped(unit.Stage, unit.Unit, StageRunner.Worker) { At = time.GetUtcNow() };
        }
        catch (LostCardException) when (options.IsDistributed)
        {
            throw;
        }
        catch (Exception error)
            when (options.IsDistributed && FaultsOf(context) < options.Broker.DeliveryLimit && fitness.FaultIn(error) is { } fault)
        {
            throw fault;
        }
        catch (Exception error)
        {
            log.LogError(UnitFails, error, "{Stage}/{Unit} failed: {Reason}", unit.Stage, unit.Unit, error.Message);
            var detail = error is UserErrorException ? null : error.ToString();
            var reason = error is UserErrorException ? error.Message : $"{error.GetType().Name}: {FirstLine(error.Message)}";
            return new UnitFailed(unit.Stage, unit.Unit, StageRunner.Worker, reason, Math.Max(attempts, 1), detail)
            {
                At = time.GetUtcNow(),
            };
        }
    }

    private async Task<UnitFinished> RunAsync(RunUnit unit, CancellationToken stop)
    {
        await cancellations.LookAsync(unit.Run, stop);
        stop.ThrowIfCancellationRequested();
        log.LogInformation("{Run}: {Stage}/{Unit} begins", unit.Run, unit.Stage, unit.Unit);
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var watching = cancellations.WatchAsync(unit.Run, ended.Token);
        try
        {
            return await ComputeAsync(device.Apply(runner.Normalized(await inputs.UnpackAsync(unit, stop))), stop);
        }
        finally
        {
            await ended.CancelAsync();
            await watching;
            fitness.Relieve();
        }
    }

    // Where a card is lost and others are left, the unit continues with one of them from its last checkpoint.
    private async Task<UnitFinished> ComputeAsync(RunUnit unit, CancellationToken stop)
    {
        while (true)
        {
            using var place = await cards.TakeAsync(WorkerDevice.Of(unit), stop);
            try
            {
                using var use = place.Use();
                return await runner.RunAsync(unit, progress, stop);
            }
            catch (Exception error) when (DeviceFault.IsLost(error))
            {
                var name = place.Card ?? WorkerDevice.Of(unit) ?? "the device";
                place.Lose();
                if (place.Card is null)
                {
                    throw options.IsDistributed
                        ? new LostCardException(name, DeviceFault.Line(error), error)
                        : new UserErrorException(
                            $"{name} no longer computes ({DeviceFault.Line(error)}): "
                                + "start again to continue from the last checkpoint; see nvidia-smi for details",
                            error
                        );
                }

                log.LogWarning(error, "{Stage}/{Unit}: {Card} is lost, the unit continues on another", unit.Stage, unit.Unit, name);
            }
        }
    }

    /// <summary>
    /// Sends the unit again, so that this delivery is not counted against it as one that killed its worker is. Those that were go along:
    /// to the broker it is another message. A delivery that is lost the broker has put back by itself.
    /// </summary>
    private Task PutBackAsync(ConsumeContext<RunUnit> context, Func<bool> isThere, int deaths = 0, int faults = 0) =>
        isThere()
            ? SendAsync(context, QueueNames.OfStage(context.Message.Stage, context.Message.Interactive), deaths, faults)
            : Task.CompletedTask;

    private Task SendAsync(ConsumeContext<RunUnit> context, string queue, int deaths = 0, int faults = 0) =>
        ConfirmedAsync(context, queue, $"{context.Message.Run}: {context.Message.Stage}/{context.Message.Unit}: its way back", endpoint =>
            endpoint.Send(
                context.Message,
                send =>
                {
                    send.Headers.Set(DeathsHeader, DeathsOf(context) + deaths);
                    send.Headers.Set(FaultsHeader, FaultsOf(context) + faults);
                },
                CancellationToken.None
            )
        );

    /// <summary>How many workers gave the unit back for a fault of their own. What fails with all of them is the unit's.</summary>
    private static int FaultsOf(ConsumeContext context) => context.Headers.Get<int>(FaultsHeader, 0)!.Value;

    /// <summary>How many workers that had taken the unit ended silently.</summary>
    private static int DeathsOf(ConsumeContext context) =>
        context.Headers.Get<int>(DeathsHeader, 0)!.Value
        + (
            context.ReceiveContext.TransportHeaders.TryGetHeader(DeliveriesHeader, out var deliveries)
                ? Convert.ToInt32(deliveries, CultureInfo.InvariantCulture)
                : 0
        );

    private async Task ReportAsync(ConsumeContext context, string run, UnitFact fact)
    {
        object message = fact switch
        {
            UnitFinished finished => new Reported<UnitFinished>(run, finished),
            UnitFailed failed => new Reported<UnitFailed>(run, failed),
            UnitStopped stopped => new Reported<UnitStopped>(run, stopped),
            _ => throw new UnreachableException(),
        };
        await ConfirmedAsync(context, QueueNames.Coordinator, $"{run}: {fact.Stage}/{fact.Unit}: its outcome", coordinator =>
            coordinator.Send(message, message.GetType(), CancellationToken.None)
        );
    }

    // In MassTransit 8.5 a send that is under way while its connection is cut may never end. A fact that comes twice counts once, and a
    // unit that does is computed once.
    private async Task ConfirmedAsync(ConsumeContext context, string queue, string what, Func<ISendEndpoint, Task> send)
    {
        while (true)
        {
            using var waiting = new CancellationTokenSource();
            var sending = send(await context.GetSendEndpoint(addresses.Of(queue)));
            if (await Task.WhenAny(sending, Task.Delay(MaxSend, time, waiting.Token)) == sending)
            {
                await waiting.CancelAsync();
                await sending;
                return;
            }

            log.LogWarning("{What} was not confirmed by the broker within {Seconds} s; it is sent again", what, MaxSend.TotalSeconds);
        }
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
