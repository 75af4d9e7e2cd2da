using ClipSae.Hosting.Bus;
using ClipSae.Hosting.Health;
using ClipSae.Hosting.Settings;
using ClipSae.Hosting.Worker;
using ClipSae.ObjectStorage;
using ClipSae.Pipeline.Stages;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace ClipSae.Hosting.Service;

/// <summary>Runs one service as a process of its own: defaults, what it adds, run.</summary>
public static class ServiceHost
{
    /// <summary>Exit code of wrong arguments.</summary>
    public const int WrongUse = 2;

    private const int Failed = 1;

    /// <summary>Runs until asked to stop (Ctrl-C, SIGTERM), or with <c>--once</c> until one unit is done.</summary>
    /// <param name="name">What the process is called in spans, metrics and logs.</param>
    /// <param name="configure">Adds what the service does.</param>
    /// <returns>Exit code: 0 stopped, 1 failed, 2 an argument that there is not.</returns>
    public static async Task<int> RunAsync(string name, string[] args, Action<IServiceCollection> configure)
    {
        ServiceArguments arguments;
        try
        {
            arguments = ServiceArguments.Parse(args);
        }
        catch (UserErrorException error)
        {
            await Console.Error.WriteLineAsync(error.Message);
            return WrongUse;
        }

        if (arguments.Help)
        {
            await Console.Out.WriteAsync(ServiceArguments.HelpText);
            return 0;
        }

        try
        {
            var options = Read(arguments, out var builder);
            options.Validate();
            UserErrorException.ThrowIf(
                !options.IsDistributed,
                "a single service receives nothing on the in-memory bus: "
                    + "set ClipSae__Bus=rabbitmq, or use clipsae, which hosts every service in one process"
            );

            OwnFiles.KeepToOwner();
            LogFormat.Apply(builder.Logging, options.LogFormat);
            builder.Services.AddSingleton(new ServiceName(name));
            AddService(builder.Services, options, configure);
            using var host = builder.Build();
            BusRegistration.LogTo(host.Services);
            host.Services.GetServices<DeviceProbe>().FirstOrDefault()?.Prepare(options.Device, arguments.Torch);
            await PrepareAsync(host.Services, CancellationToken.None); // a signal that comes before the host runs ends the process at once
            var lifetime = host.Services.GetRequiredService<WorkerLifetime>();
            await host.RunAsync(CancellationToken.None);
            return lifetime.Broken is { } reason ? throw new UserErrorException(reason) : 0;
        }
        catch (Exception error) when (error is UserErrorException or TimeoutException)
        {
            await Console.Error.WriteLineAsync(error.Message);
            return Failed;
        }
    }

    /// <summary>All that a service has, on a broker.</summary>
    internal static void AddService(IServiceCollection services, ClipSaeOptions options, Action<IServiceCollection> configure)
    {
        configure(services);
        services.AddHostedService<GracefulStop>(); // before the bus, which waits for units when it stops
        services.AddClipSae(options);
        services.AddHostedService(provider => provider.GetRequiredService<WorkerLifetime>());
        services.Configure<HostOptions>(host => host.ShutdownTimeout = options.StopTimeout + TimeSpan.FromSeconds(5));
        services.AddSingleton<ConsumersHealth>();
        services
            .AddHealthChecks()
            .AddCheck<StoreHealth>("store")
            .AddCheck<ConsumersHealth>("consumers")
            .AddCheck<WorkerHealth>("worker")
            .AddCheck<DeviceHealth>("device");
        services.AddHostedService<DeviceMemory>();
        if (options.HealthAddress is not null)
        {
            services.AddHostedService<HealthEndpoint>();
        }
    }

    /// <summary>Sees that store and broker can be used, before anything is sent or taken.</summary>
    /// <param name="isClient">Whether this process only asks: it reports nothing of its stages, which no worker may have.</param>
    internal static async Task PrepareAsync(IServiceProvider services, CancellationToken cancel, bool isClient = false)
    {
        if (services.GetService<S3ObjectStore>() is { } store)
        {
            await StoreProbe.RequireUsableAsync(store, cancel);
        }

        if (services.GetService<BrokerTopology>() is { } topology)
        {
            await DeclareAsync(topology, services, isClient, cancel);
        }

        if (isClient)
        {
            return;
        }

        await StageDefaults.TellAsync([.. services.GetServices<IStage>()], services.GetRequiredService<StageDefaultsStore>(), cancel);
    }

    private static async Task DeclareAsync(BrokerTopology topology, IServiceProvider services, bool isClient, CancellationToken cancel)
    {
        var time = services.GetRequiredService<TimeProvider>();
        if (services.GetServices<BusEndpoint>().Any())
        {
            await topology.DeclareAsync(time, cancel);
        }
        else
        {
            await topology.RequireDeclaredAsync(time, cancel);
        }

        foreach (var stage in isClient ? [] : services.GetServices<IStage>())
        {
            await topology.DeclareStageAsync(stage.Name, time, cancel);
        }
    }

    private static ClipSaeOptions Read(ServiceArguments arguments, out HostApplicationBuilder builder)
    {
        builder = Host.CreateApplicationBuilder();
        var options = ClipSaeSettings.Read(builder.Configuration);
        return options with { Once = options.Once || arguments.Once, Device = arguments.Device ?? options.Device };
    }
}
