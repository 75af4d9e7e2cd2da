using System.Security.Authentication;
using ClipSae.Hosting.Bus;
using ClipSae.Hosting.Settings;
using ClipSae.Pipeline.Execution;
using ClipSae.Pipeline.Stages;
using MassTransit;
using MassTransit.Middleware;
using MassTransit.RabbitMqTransport.Topology;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using BrokerTopology = ClipSae.Hosting.Bus.BrokerTopology;

namespace ClipSae.Hosting.Service;

/// <summary>
/// The bus over RabbitMQ. Queues are those of <see cref="BrokerTopology"/>; what must arrive is sent so that the broker refuses what it
/// cannot place.
/// </summary>
internal static class RabbitBus
{
    private const int ChecksAtOnce = 4;

    public static void Configure(
        IBusRegistrationContext context,
        IRabbitMqBusFactoryConfigurator transport,
        ClipSaeOptions options,
        bool hostsStages
    )
    {
        var broker = options.Broker;
        var topology = context.GetRequiredService<BrokerTopology>();
        transport.Host(broker.Host, (ushort)broker.Port, broker.VirtualHost, StageRunner.Worker, host =>
        {
            host.Username(broker.User);
            host.Password(broker.ReadPassword());
            host.Heartbeat(broker.Heartbeat);
            if (broker.Tls)
            {
                host.UseSsl(ssl =>
                {
                    ssl.ServerName = broker.Host;
                    ssl.Protocol = SslProtocols.None; // the system's choice
                    ssl.CertificateValidationCallback = topology.Validation();
                });
            }
        });
        var names = context.GetRequiredService<TemporaryNames>();
        transport.OverrideDefaultBusEndpointQueueName(names.TemporaryEndpoint("bus"));
        var log = context.GetRequiredService<ILoggerFactory>().CreateLogger("ClipSae.Bus");
        var setAside = new SetAsideNames();
        transport.SendTopology.ErrorQueueNameFormatter = setAside;
        transport.SendTopology.DeadLetterQueueNameFormatter = setAside;
        transport.SendTopology.ConfigureErrorSettings = topology.ConfigureSetAside;
        transport.SendTopology.ConfigureDeadLetterSettings = topology.ConfigureSetAside;
        transport.ConfigureSend(sends => sends.UseExecute(RequireQueue));
        transport.Publish<UnitProgress>(progress => progress.Durable = false);
        if (hostsStages)
        {
            ConfigureStages(context, transport, topology, log);
        }

        foreach (var endpoint in context.GetServices<BusEndpoint>())
        {
            ReceiveFrom(transport, topology, endpoint.Queue, endpoint.AtOnce, endpoint.Refuses, log, queue =>
                endpoint.Configure(queue, context)
            );
        }

        foreach (var listener in context.GetServices<BusListener>())
        {
            transport.ReceiveEndpoint(new TemporaryEndpointDefinition(listener.Name), names, queue => listener.Configure(queue, context));
        }
    }

    private static void ConfigureStages(
        IBusRegistrationContext context,
        IRabbitMqBusFactoryConfigurator transport,
        BrokerTopology topology,
        ILogger log
    )
    {
        var atOnce = context.GetRequiredService<ClipSaeOptions>().UnitsAtOnce;
        var stages = context.GetServices<IStage>().ToArray();
        foreach (var queue in stages.SelectMany(stage => BrokerTopology.QueuesOf(stage.Name)))
        {
            ReceiveFrom(transport, topology, queue, atOnce, BusEndpoint.IsUnreadable, log, endpoint =>
                BusRegistration.ConnectWorker(endpoint, context)
            );
        }

        foreach (var stage in stages)
        {
            // A question that cannot be answered is set aside at once, and whoever asked is informed.
            ReceiveFrom(
                transport,
                topology,
                QueueNames.OfChecks(stage.Name),
                ChecksAtOnce,
                _ => true,
                log,
                endpoint => BusRegistration.ConnectChecks(endpoint, context)
            );
        }

        if (stages.Length > 0)
        {
            transport.ReceiveEndpoint(new TemporaryEndpointDefinition("stop"), context.GetRequiredService<TemporaryNames>(), queue =>
                BusRegistration.ConnectStop(queue, context)
            );
        }
    }

    private static void ReceiveFrom(
        IRabbitMqBusFactoryConfigurator transport,
        BrokerTopology topology,
        string name,
        int atOnce,
        Func<Exception, bool> refuses,
        ILogger log,
        Action<IReceiveEndpointConfigurator> configure
    ) => transport.ReceiveEndpoint(name, queue =>
        {
            // The topology binds what is to come here; binding every message type would let a stranger's message in.
            queue.ConfigureConsumeTopology = false;
            queue.Durable = true;
            queue.PrefetchCount = atOnce;
            queue.ConcurrentMessageLimit = atOnce;
            foreach (var (argument, value) in topology.Arguments(name))
            {
                queue.SetQueueArgument(argument, value);
            }

            queue.ConfigureError(error =>
            {
                error.UseFilter(new PutBackFilter(refuses));
                error.UseFilter(new FaultReplyFilter(log));
                error.UseFilter(new ErrorTransportFilter());
            });
            configure(queue);
        });

    /// <summary>
    /// The dead letters have the topology's arguments, whatever queue a message came from; invalid events have those of their own queue.
    /// </summary>
    private static void ConfigureSetAside(this BrokerTopology topology, IRabbitMqQueueBindingConfigurator queue)
    {
        if (
            queue
            is not (
                RabbitMqErrorSettings { QueueName: QueueNames.DeadLetters }
                or RabbitMqDeadLetterSettings { QueueName: QueueNames.DeadLetters }
            )
        )
        {
            return;
        }

        foreach (var argument in topology.Arguments(QueueNames.Coordinator).Keys)
        {
            queue.SetQueueArgument(argument, null!);
        }

        foreach (var (argument, value) in topology.Arguments(QueueNames.DeadLetters))
        {
            queue.SetQueueArgument(argument, value);
        }
    }

    private static void RequireQueue(SendContext send)
    {
        if (send.TryGetPayload<RabbitMqSendContext>(out var rabbit))
        {
            rabbit.Mandatory = true;
        }
    }
}
