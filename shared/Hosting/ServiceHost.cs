using ClipSae.Contracts;
using ClipSae.ObjectStorage;
using ClipSae.Pipeline;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace ClipSae.Hosting;

/// <summary>Runs one service as a process of its own: defaults, what it adds, run.</summary>
public static class ServiceHost
{
    private static readonly Dictionary<string, string> Switches = new(StringComparer.Ordinal)
    {
        ["--device"] = $"{ClipSaeOptions.Section}:{nameof(ClipSaeOptions.Device)}",
    };

    /// <summary>Runs until told to stop (Ctrl-C, SIGTERM), or with <c>--once</c> until one unit is done.</summary>
    /// <returns>Exit code: 0 stopped, 1 failed.</returns>
    public static async Task<int> RunAsync(string[] args, Action<IServiceCollection> configure)
    {
        try
        {
            var options = Read(args, out var builder);
            options.Validate();
            if (!options.IsDistributed)
            {
                throw new UserErrorException("a service by itself hears nothing on the in-memory bus: set ClipSae__Bus=rabbitmq, or use clipsae, which hosts every service in one process");
            }

            configure(builder.Services);
            builder.Services.AddHostedService<GracefulStop>(); // before the bus, which waits for units when it stops
            builder.Services.AddClipSae(options);
            builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = options.StopTimeout + TimeSpan.FromSeconds(5));
            builder.Services.AddHealthChecks().AddCheck<StoreHealth>("store").AddCheck<DeviceHealth>("device");
            builder.Services.AddHostedService<DeviceMemory>();
            if (options.HealthAddress is not null)
            {
                builder.Services.AddHostedService<HealthEndpoint>();
            }

            using var host = builder.Build();
            BusRegistration.LogTo(host.Services);
            using var interrupted = new CancellationTokenSource();
            await PrepareAsync(host.Services, interrupted.Token);
            await host.RunAsync(interrupted.Token);
            return 0;
        }
        catch (Exception error) when (error is UserErrorException or TimeoutException)
        {
            await Console.Error.WriteLineAsync(error.Message);
            return 1;
        }
    }

    /// <summary>Sees that store and broker can be used, before anything is sent or taken.</summary>
    internal static async Task PrepareAsync(IServiceProvider services, CancellationToken cancel)
    {
        if (services.GetService<ObjectStore>() is { } store)
        {
            await StoreProbe.RequireUsableAsync(store, cancel);
        }

        if (services.GetService<BrokerTopology>() is { } topology)
        {
            await topology.DeclareAsync(services.GetRequiredService<TimeProvider>(), cancel);
            foreach (var stage in services.GetServices<IStage>())
            {
                await topology.DeclareStageAsync(stage.Name, cancel);
            }
        }

        await StageDefaults.TellAsync(services.GetServices<IStage>(), services.GetRequiredService<IStageDefaults>(), cancel);
    }

    private static ClipSaeOptions Read(string[] args, out HostApplicationBuilder builder)
    {
        builder = Host.CreateApplicationBuilder();
        builder.Configuration.AddCommandLine([.. args.Where(arg => arg != "--once")], Switches);
        var options = ClipSaeSettings.Read(builder.Configuration);
        return args.Contains("--once") ? options with { Once = true } : options;
    }
}
