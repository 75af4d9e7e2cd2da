using System.Security.Authentication;
using ClipSae.Contracts;
using ClipSae.Pipeline;
using MassTransit;
using MassTransit.Middleware;
using Microsoft.Extensions.DependencyInjection;

namespace ClipSae.Hosting;

/// <summary>The bus over RabbitMQ. Queues are those of <see cref="BrokerTopology"/>; what must arrive is sent so that the broker refuses what it cannot place.</summary>
internal static class RabbitBus
{
    public static void Configure(IBusRegistrationContext context, IRabbitMqBusFactoryConfigurator transport, ClipSaeOptions options, bool hostsStages)
    {
        var broker = options.Broker;
        var topology = context.GetRequiredService<BrokerTopology>();
        transport.Host(broker.Host, (ushort)broker.Port, broker.VirtualHost, StageRunner.Worker, host =>
        {
            host.Username(broker.User);
            host.Password(broker.ReadPassword());
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
        transport.ConfigureSend(sends => sends.UseExecute(RequireQueue));
        transport.Publish<UnitProgress>(progress => progress.Durable = false);
        if (hostsStages)
        {
            ConfigureStages(context, transport, topology);
        }

        foreach (var endpoint in context.GetServices<BusEndpoint>())
        {
            ReceiveFrom(transport, topology, endpoint.Queue, endpoint.AtOnce, endpoint.Refuses, queue => endpoint.Configure(queue, context));
        }

        foreach (var listener in context.GetServices<BusListener>())
        {
            transport.ReceiveEndpoint(new TemporaryEndpointDefinition(listener.Name), queue => listener.Configure(queue, context));
        }
    }

    private static void ConfigureStages(IBusRegistrationContext context, IRabbitMqBusFactoryConfigurator transport, BrokerTopology topology)
    {
        var atOnce = context.GetRequiredService<ClipSaeOptions>().UnitsAtOnce;
        var stages = context.GetServices<IStage>().ToArray();
        foreach (var queue in stages.SelectMany(stage => BrokerTopology.QueuesOf(stage.Name)))
        {
            ReceiveFrom(transport, topology, queue, atOnce, refuses: null, endpoint => BusRegistration.ConnectWorker(endpoint, context));
        }

        if (stages.Length > 0)
        {
            transport.ReceiveEndpoint(new TemporaryEndpointDefinition("stop"), queue => BusRegistration.ConnectStop(queue, context));
        }
    }

    private static void ReceiveFrom(
        IRabbitMqBusFactoryConfigurator transport, BrokerTopology topology, string name, int atOnce, Func<Exception, bool>? refuses, Action<IReceiveEndpointConfigurator> configure) =>
        transport.ReceiveEndpoint(name, queue =>
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

            if (refuses is null)
            {
                queue.RethrowFaultedMessages();
                queue.ThrowOnSkippedMessages();
            }
            else
            {
                queue.ConfigureError(error =>
                {
                    error.UseFilter(new PutBackFilter(refuses));
                    error.UseFilter(new GenerateFaultFilter());
                    error.UseFilter(new ErrorTransportFilter());
                });
            }

            configure(queue);
        });

    private static void RequireQueue(SendContext send)
    {
        if (send.TryGetPayload<RabbitMqSendContext>(out var rabbit))
        {
            rabbit.Mandatory = true;
        }
    }
}
