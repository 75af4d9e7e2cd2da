using System.Globalization;
using ClipSae.Hosting.Settings;
using ClipSae.Pipeline.Coordination;
using ClipSae.Pipeline.Execution;
using ClipSae.Pipeline.Stages;
using MassTransit;

namespace ClipSae.Coordinator;

/// <summary>Informs a run that one of its units was set aside: every worker that took it died.</summary>
public sealed class DeadUnitConsumer(RunCoordinator coordinator, ClipSaeOptions options, TimeProvider time) : IConsumer<RunUnit>
{
    public async Task Consume(ConsumeContext<RunUnit> context)
    {
        var unit = context.Message;
        PipelineTelemetry.DeadUnits.Add(1, KeyValuePair.Create<string, object?>(PipelineTelemetry.StageTag, unit.Stage));
        var deaths = options.Broker.DeliveryLimit + 1;
        var reason = string.Create(
            CultureInfo.InvariantCulture,
            $"set aside after {deaths} workers that took it died without an error message (killed, out of memory?); "
                + $"a copy is in queue {QueueNames.DeadLetters}"
        );
        await coordinator.HandleAsync(
            unit.Run,
            [new UnitFailed(unit.Stage, unit.Unit, StageRunner.Worker, reason, deaths) { At = time.GetUtcNow() }],
            context.CancellationToken
        );
    }
}
