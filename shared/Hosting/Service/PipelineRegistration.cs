using ClipSae.Artifacts;
using ClipSae.Hosting.Bus;
using ClipSae.Hosting.Runs;
using ClipSae.Hosting.Settings;
using ClipSae.Hosting.Worker;
using ClipSae.ObjectStorage;
using ClipSae.Pipeline.Coordination;
using ClipSae.Pipeline.Events;
using ClipSae.Pipeline.Execution;
using ClipSae.Pipeline.Pruning;
using ClipSae.Pipeline.Stages;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;

namespace ClipSae.Hosting.Service;

/// <summary>What every process of ClipSae has: stores, runner, coordinator, bus and telemetry.</summary>
public static class PipelineRegistration
{
    /// <summary>Adds a stage; the process then consumes its queue.</summary>
    public static IServiceCollection AddStage<TStage>(this IServiceCollection services)
        where TStage : class, IStage => services.AddSingleton<IStage, TStage>();

    /// <summary>Adds a stage that computes on a device, and how that device is looked at.</summary>
    public static IServiceCollection AddStage<TStage>(this IServiceCollection services, DeviceProbe device)
        where TStage : class, IStage
    {
        services.TryAddSingleton(device);
        return services.AddStage<TStage>();
    }

    /// <summary>Adds all that is the same in each process. Adapters registered before, for example by another package, stay.</summary>
    /// <param name="hostsStages">Whether this process works on units of the registered stages, or has them only to know their
    /// parameters.</param>
    public static IServiceCollection AddClipSae(this IServiceCollection services, ClipSaeOptions options, bool hostsStages = true)
    {
        options.Validate();
        services.AddLogging();
        services.AddSingleton(options);
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton(_ => new ProcessScratch(options.DataFolder));
        if (options.UsesObjectStore)
        {
            services.AddBucketStores(options.S3);
        }
        else
        {
            services.AddFolderStores(options.DataFolder);
        }

        services.TryAddSingleton<IEventStore, EventStore>();
        services.TryAddSingleton<IStageResults, StageResults>();
        services.TryAddSingleton<CheckpointStore>();
        services.TryAddSingleton<StageDefaultsStore>();
        services.TryAddSingleton<RunStatusMarkers>();
        if (options.IsDistributed)
        {
            services.TryAddSingleton(new BrokerTopology(options.Broker));
            services.TryAddSingleton<WorkerRoster>();
            if (hostsStages)
            {
                services.TryAddSingleton<IProgress<UnitProgress>, BusProgress>();
            }
        }

        services.TryAddSingleton<WorkerTraits>();
        services.TryAddSingleton<IComputeTraits>(provider => provider.GetRequiredService<WorkerTraits>());
        services.AddSingleton<StageRunner>();
        services.AddSingleton<RunCoordinator>();
        services.AddSingleton<RunBeginning>();
        services.AddSingleton<RunCancellations>();
        services.AddSingleton<Pruner>();
        services.AddSingleton<UnitsInProgress>();
        services.AddSingleton<LostDeliveries>();
        services.AddSingleton<WorkerFitness>();
        services.AddSingleton<UnitInputs>();
        services.AddSingleton<UnitRetry>();
        services.AddSingleton<WorkerDevice>();
        services.AddSingleton<OwnPresence>();
        services.TryAddSingleton(_ => new WorkerCards([], null));
        services.AddSingleton<WorkerLifetime>();
        services.AddSingleton<RunFeed>();
        services.AddSingleton<IRunObserver>(provider => provider.GetRequiredService<RunFeed>());
        services.TryAddSingleton<IProgress<UnitProgress>>(provider => provider.GetRequiredService<RunFeed>());
        return services.AddClipSaeBus(options, hostsStages).AddClipSaeTelemetry();
    }

    private static void AddFolderStores(this IServiceCollection services, string root)
    {
        services.TryAddSingleton<IObjectStore>(_ => new FolderObjectStore(root));
        services.TryAddSingleton<IKeyLocks>(provider => new FolderKeyLocks(root, provider.GetRequiredService<TimeProvider>()));
        services.TryAddSingleton<IArtifactStore>(provider => new FolderArtifactStore(root, provider.GetRequiredService<ProcessScratch>()));
    }

    private static void AddBucketStores(this IServiceCollection services, ObjectStorageOptions options)
    {
        services.TryAddSingleton(provider => new S3ObjectStore(
            options,
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<S3ObjectStore>>()
        ));
        services.TryAddSingleton<IObjectStore>(provider => provider.GetRequiredService<S3ObjectStore>());
        services.TryAddSingleton<IKeyLocks, ProcessKeyLocks>();
        services.TryAddSingleton<IArtifactStore, S3ArtifactStore>();
    }
}
