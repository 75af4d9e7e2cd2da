using ClipSae.Pipeline;
using MassTransit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace ClipSae.Hosting;

/// <summary>The bus: one queue a stage hosted here, one for each registered <see cref="BusEndpoint"/>. MassTransit stays behind this file and the consumers.</summary>
public static class BusRegistration
{
    /// <summary>Adds the bus that the options choose.</summary>
    public static IServiceCollection AddClipSaeBus(this IServiceCollection services)
    {
        services.AddSingleton<ICommandSender, BusCommandSender>();

        // A message that is sent before its queue is bound is lost without a word: starting waits until the bus is up.
        services.AddOptions<MassTransitHostOptions>().Configure(options => options.WaitUntilStarted = true);
        services.AddMassTransit(bus =>
        {
            bus.DisableUsageTelemetry();
            bus.UsingInMemory((context, transport) =>
            {
                ConfigureStages(context, transport);
                foreach (var endpoint in context.GetServices<BusEndpoint>())
                {
                    transport.ReceiveEndpoint(endpoint.Queue, queue =>
                    {
                        queue.ConcurrentMessageLimit = endpoint.AtOnce;
                        endpoint.Configure(queue, context);
                    });
                }
            });
        });
        return services;
    }

    /// <summary>Directs the bus's log to these services; left alone it goes to those of the first bus that the process had.</summary>
    internal static void LogTo(IServiceProvider services) => LogContext.ConfigureCurrentLogContext(services.GetRequiredService<ILoggerFactory>());

    private static void ConfigureStages(IBusRegistrationContext context, IReceiveConfigurator transport)
    {
        var stages = context.GetServices<IStage>().ToArray();
        foreach (var stage in stages)
        {
            transport.ReceiveEndpoint(stage.Name, queue =>
            {
                queue.PublishFaults = false;
                queue.ConcurrentMessageLimit = context.GetRequiredService<ClipSaeOptions>().UnitsAtOnce;
                queue.Consumer(() => ActivatorUtilities.CreateInstance<StageWorker>(context));
            });
        }

        if (stages.Length > 0)
        {
            transport.ReceiveEndpoint($"stop-{StageRunner.Worker.Replace(':', '-')}", queue =>
                queue.Consumer(() => ActivatorUtilities.CreateInstance<StopRunConsumer>(context)));
        }
    }
}
