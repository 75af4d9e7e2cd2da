using ClipSae.Coordinator;
using ClipSae.Hosting.Service;
using ClipSae.Hosting.Settings;
using ClipSae.Pipeline.Events;
using ClipSae.Pipeline.Runs;
using ClipSae.Pipeline.Stages;
using ClipSae.Servers;
using ClipSae.TestKit.Pipelines;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;

namespace ClipSae.Bus.Tests;

/// <summary>A service within the test's process: the coordinator and stages of no weight, on the real broker and a folder.</summary>
internal sealed class OwnHost : IAsyncDisposable
{
    private readonly IHost _host;

    private OwnHost(IHost host) => _host = host;

    public IServiceProvider Services => _host.Services;

    public static OwnHost Create(Broker broker, string host, string folder, int port, bool coordinates, params FakeStage[] stages) =>
        Create(broker, Broker.Operator, host, folder, port, coordinates, stages);

    public static OwnHost Create(
        Broker broker,
        string user,
        string host,
        string folder,
        int port,
        bool coordinates,
        params FakeStage[] stages
    )
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        var options = new ClipSaeOptions
        {
            Bus = "rabbitmq",
            DataFolder = folder,
            StopTimeout = TimeSpan.FromSeconds(2),
            Broker = new BrokerOptions
            {
                Port = port,
                VirtualHost = host,
                User = user,
                PasswordFile = broker.PasswordFile(user),
            },
        };
        ServiceHost.AddService(builder.Services, options, services =>
        {
            foreach (var stage in stages)
            {
                services.AddSingleton<IStage>(stage);
            }

            if (coordinates)
            {
                services.AddCoordinator();
            }
        });
        return new OwnHost(builder.Build());
    }

    public async Task StartAsync()
    {
        BusRegistration.LogTo(_host.Services);
        await ServiceHost.PrepareAsync(_host.Services, default);
        await _host.StartAsync();
    }

    public async Task<string> HealthAsync()
    {
        var report = await Services.GetRequiredService<HealthCheckService>().CheckHealthAsync();
        return string.Join(
            "; ",
            report
                .Entries.OrderBy(entry => entry.Key, StringComparer.Ordinal)
                .Select(entry => $"{entry.Key}: {entry.Value.Status} {entry.Value.Description}")
        );
    }

    /// <summary>Begins a run of one unit of one stage.</summary>
    public async Task BeginAsync(string run, string stage, int? version = null) =>
        await Services
            .GetRequiredService<RunStarter>()
            .BeginAsync(
                new DatasetReady(
                    new RunSpec(
                        new Dictionary<string, ArtifactRef>
                        {
                            ["data"] = await Services
                                .GetRequiredService<Artifacts.IArtifactStore>()
                                .PutBytesAsync("data"u8.ToArray(), "data", "x/y"),
                        },
                        []
                    ),
                    run,
                    plan: new RunPlan([new StagePlan(stage, [], [new UnitPlan("all", [], [])], [], AlgorithmVersion: version)])
                ),
                default
            );

    public async Task<IReadOnlyList<StoredEvent>> EventsAsync(string run) =>
        await Services.GetRequiredService<IEventStore>().ReadAsync(run);

    public async Task<RunState> EndedAsync(string run)
    {
        for (var look = 0; look < 600; look++)
        {
            if (RunState.Fold((await EventsAsync(run)).Select(stored => stored.Event)) is { End: not null } ended)
            {
                return ended;
            }

            await Task.Delay(50);
        }

        throw new TimeoutException($"run {run} does not end");
    }

    public async ValueTask DisposeAsync()
    {
        await _host.StopAsync();
        _host.Dispose();
    }
}
