using ClipSae.Hosting.Bus;
using ClipSae.Hosting.Settings;
using ClipSae.Hosting.Worker;
using ClipSae.Pipeline.Coordination;
using ClipSae.Pipeline.Execution;
using ClipSae.Pipeline.Stages;
using MassTransit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace ClipSae.Hosting.Service;

/// <summary>
/// The bus: the queues of the stages hosted here, and one for each registered <see cref="BusEndpoint"/>. MassTransit stays behind this file
/// and the consumers.
/// </summary>
public static class BusRegistration
{
    /// <summary>Adds the bus that the options choose.</summary>
    /// <param name="hostsStages">Whether this process works on units of the registered stages.</param>
    public static IServiceCollection AddClipSaeBus(this IServiceCollection services, ClipSaeOptions options, bool hostsStages)
    {
        services.AddSingleton<BusAddresses>();
        services.AddSingleton(provider => TemporaryNames.Of(provider, hostsStages));
        services.AddSingleton<ICommandSender, BusCommandSender>();
        services.AddSingleton<IUnitChecks, BusUnitChecks>();

        // A message that is sent before its queue is bound is lost silently: starting waits until the bus is up.
        services
            .AddOptions<MassTransitHostOptions>()
            .Configure(bus =>
            {
                bus.WaitUntilStarted = true;
                bus.StopTimeout = options.StopTimeout;
            });
        services.AddMassTransit(bus =>
        {
            bus.DisableUsageTelemetry();
            if (options.IsDistributed)
            {
                bus.UsingRabbitMq((context, transport) => RabbitBus.Configure(context, transport, options, hostsStages));
            }
            else
            {
                bus.UsingInMemory((context, transport) => ConfigureInMemory(context, transport, options, hostsStages));
            }
        });
        return services;
    }

    /// <summary>Directs the bus's log to these services; left alone it goes to those of the first bus that the process had.</summary>
    internal static void LogTo(IServiceProvider services) =>
        LogContext.ConfigureCurrentLogContext(services.GetRequiredService<ILoggerFactory>());

    /// <summary>Connects the worker of a stage to one of its queues.</summary>
    internal static void ConnectWorker(IReceiveEndpointConfigurator queue, IBusRegistrationContext context)
    {
        queue.PublishFaults = false;
        queue.AddDeserializer(StrictMessages.Of(typeof(RunUnit)), isDefault: true);
        queue.ConcurrentMessageLimit = context.GetRequiredService<ClipSaeOptions>().UnitsAtOnce;
        queue.Consumer(() => ActivatorUtilities.CreateInstance<StageWorker>(context));
    }

    /// <summary>Lets the worker of a stage say whether units could be carried out.</summary>
    internal static void ConnectChecks(IReceiveEndpointConfigurator queue, IBusRegistrationContext context)
    {
        queue.PublishFaults = false;
        queue.AddDeserializer(StrictMessages.Of(typeof(CheckUnits)), isDefault: true);
        queue.Consumer(() => ActivatorUtilities.CreateInstance<UnitChecksConsumer>(context));
    }

    /// <summary>Name of the queue in which this process hears that runs stop.</summary>
    internal static string StopQueue { get; } = $"stop-{StageRunner.Worker.Replace(':', '-')}";

    internal static void ConnectStop(IReceiveEndpointConfigurator queue, IBusRegistrationContext context)
    {
        queue.Consumer(() => ActivatorUtilities.CreateInstance<StopRunConsumer>(context));
        queue.Consumer(() => ActivatorUtilities.CreateInstance<FindWorkersConsumer>(context));
    }

    private static void ConfigureInMemory(
        IBusRegistrationContext context,
        IInMemoryBusFactoryConfigurator transport,
        ClipSaeOptions options,
        bool hostsStages
    )
    {
        var stages = hostsStages ? context.GetServices<IStage>().ToArray() : [];
        foreach (var stage in stages)
        {
            transport.ReceiveEndpoint(stage.Name, queue => ConnectWorker(queue, context));
            transport.ReceiveEndpoint(QueueNames.OfChecks(stage.Name), queue => ConnectChecks(queue, context));
        }

        if (stages.Length > 0)
        {
            transport.ReceiveEndpoint(StopQueue, queue => ConnectStop(queue, context));
        }

        foreach (var endpoint in context.GetServices<BusEndpoint>())
        {
            transport.ReceiveEndpoint(endpoint.Queue, queue =>
            {
                queue.ConcurrentMessageLimit = endpoint.AtOnce;
                endpoint.Configure(queue, context);
            });
        }
    }
}
