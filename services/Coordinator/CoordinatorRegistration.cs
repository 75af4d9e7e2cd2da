using ClipSae.Hosting.Bus;
using MassTransit;
using MassTransit.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace ClipSae.Coordinator;

/// <summary>Adds the coordinator to a process.</summary>
public static class CoordinatorRegistration
{
    // Facts that arrive together share an append, so taking many at once is what keeps bursts cheap.
    private const int FactsAtOnce = 256;

    public static IServiceCollection AddCoordinator(this IServiceCollection services) =>
        services
            .AddSingleton<RunRecovery>()
            .AddSingleton<RunStarter>()
            .AddSingleton(new BusEndpoint(QueueNames.Coordinator, FactsAtOnce, (queue, provider) =>
                {
                    queue.AddDeserializer(
                        StrictMessages.Of(typeof(Reported<UnitFinished>), typeof(Reported<UnitFailed>), typeof(Reported<UnitStopped>)),
                        isDefault: true
                    );
                    queue.Consumer(() => ActivatorUtilities.CreateInstance<FactConsumer>(provider));
                }))
            .AddSingleton(new BusEndpoint(QueueNames.Requests, 4, (queue, provider) =>
                {
                    queue.AddDeserializer(StrictMessages.Of(typeof(CancelRun), typeof(ResumeRun)), isDefault: true);
                    queue.Consumer(() => ActivatorUtilities.CreateInstance<RunRequestsConsumer>(provider));
                }))
            .AddSingleton(new BusEndpoint(QueueNames.DatasetReady, 4, (queue, provider) =>
                {
                    // Any AMQP client may publish the event as plain JSON; messages of MassTransit programs say themselves what they are.
                    queue.AddDeserializer(StrictJson.Envelopes);
                    queue.AddDeserializer(
                        new StrictJson(new SystemTextJsonRawMessageSerializerFactory(RawSerializerOptions.AnyMessageType)),
                        isDefault: true
                    );
                    queue.Consumer(() => ActivatorUtilities.CreateInstance<DatasetReadyConsumer>(provider));
                }) { Refuses = IsInvalid })
            .AddSingleton(new BusEndpoint(QueueNames.DeadUnits, 4, (queue, provider) =>
                {
                    queue.AddDeserializer(StrictMessages.Of(typeof(RunUnit)), isDefault: true);
                    queue.Consumer(() => ActivatorUtilities.CreateInstance<DeadUnitConsumer>(provider));
                }));

    /// <summary>Adds the look after stalled runs. Within one process a run continues when the process that holds it does.</summary>
    public static IServiceCollection AddStalledRuns(this IServiceCollection services) =>
        services.AddSingleton<IUnitActivity, UnitActivity>().AddHostedService<StalledRuns>();

    /// <summary>Whether it is the event that is wrong; everything else may pass, and the event waits for it.</summary>
    private static bool IsInvalid(Exception error) =>
        error is UserErrorException || BusEndpoint.IsUnreadable(error) || (error.InnerException is { } inner && IsInvalid(inner));
}
