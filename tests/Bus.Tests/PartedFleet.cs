using ClipSae.Artifacts;
using ClipSae.Hosting.Service;
using ClipSae.Hosting.Settings;
using ClipSae.Pipeline.Stages;
using ClipSae.Servers;
using ClipSae.TestKit.Files;
using ClipSae.TestKit.Pipelines;
using Microsoft.Extensions.DependencyInjection;
using RabbitMQ.Client;

namespace ClipSae.Bus.Tests;

/// <summary>A coordinator and a worker, each with the broker user of its part, in a virtual host of their own.</summary>
public sealed class PartedFleet(SharedBroker shared) : IAsyncLifetime
{
    private readonly string _virtual = "parted-" + Guid.NewGuid().ToString("N");
    private readonly TemporaryFolder _folder = new();
    private OwnHost _coordinator = null!;
    private OwnHost _worker = null!;

    internal FakeStage Stage { get; } = new("report");

    /// <summary>One unit of the stage; by another factor it is another one, with no result yet.</summary>
    public static RunPlan Plan(int factor) =>
        new([new StagePlan("report", new() { ["factor"] = factor }, [new UnitPlan("all", [], [])], [])]);

    public async ValueTask InitializeAsync()
    {
        await shared.Broker.AddVirtualHostAsync(_virtual);
        _coordinator = OwnHost.Create(shared.Broker, Broker.Coordinator, _virtual, _folder.Path, shared.Broker.Port, coordinates: true);
        _worker = OwnHost.Create(shared.Broker, Broker.Worker, _virtual, _folder.Path, shared.Broker.Port, coordinates: false, Stage);
        await _coordinator.StartAsync();
        await _worker.StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _worker.DisposeAsync();
        await _coordinator.DisposeAsync();
        _folder.Dispose();
    }

    /// <summary>A client with the submitter's rights.</summary>
    public DistributedRuntime Client() =>
        DistributedRuntime.Create(
            new ClipSaeOptions
            {
                Bus = "rabbitmq",
                DataFolder = _folder.Path,
                Broker = new BrokerOptions
                {
                    Port = shared.Broker.Port,
                    VirtualHost = _virtual,
                    User = Broker.Submitter,
                    PasswordFile = shared.Broker.PasswordFile(Broker.Submitter),
                },
            },
            services => services.AddSingleton<IStage>(Stage)
        );

    /// <summary>Any AMQP program's connection.</summary>
    public Task<IConnection> ConnectAsync(string user) =>
        new ConnectionFactory
        {
            Port = shared.Broker.Port,
            VirtualHost = _virtual,
            UserName = user,
            Password = shared.Broker.Password(user),
        }.CreateConnectionAsync();

    public async Task<RunSpec> RequestAsync() =>
        new(
            new Dictionary<string, ArtifactRef>
            {
                ["data"] = await _worker.Services.GetRequiredService<IArtifactStore>().PutBytesAsync("data"u8.ToArray(), "data", "x/y"),
            },
            []
        );
}
