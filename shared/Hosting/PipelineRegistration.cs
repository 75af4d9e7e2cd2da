using ClipSae.Artifacts;
using ClipSae.Contracts;
using ClipSae.Pipeline;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace ClipSae.Hosting;

/// <summary>What every process of ClipSae has: stores, runner, coordinator, bus and telemetry.</summary>
public static class PipelineRegistration
{
    /// <summary>Adds a stage; the process then consumes its queue.</summary>
    public static IServiceCollection AddStage<TStage>(this IServiceCollection services)
        where TStage : class, IStage => services.AddSingleton<IStage, TStage>();

    /// <summary>Adds all that is the same in each process. Adapters registered before, for example by another package, stay.</summary>
    public static IServiceCollection AddClipSae(this IServiceCollection services, ClipSaeOptions options)
    {
        options.Validate();
        services.AddLogging();
        services.AddSingleton(options);
        services.TryAddSingleton(TimeProvider.System);
        services.AddFolderStores(options.DataFolder);
        services.AddSingleton<StageRunner>();
        services.AddSingleton<RunCoordinator>();
        services.AddSingleton<RunCancellations>();
        services.AddSingleton<UnitsAtWork>();
        services.AddSingleton<UnitRetry>();
        services.AddSingleton<RunFeed>();
        services.AddSingleton<IRunObserver>(provider => provider.GetRequiredService<RunFeed>());
        services.TryAddSingleton<IProgress<UnitProgress>>(provider => provider.GetRequiredService<RunFeed>());
        return services.AddClipSaeBus().AddClipSaeTelemetry();
    }

    private static void AddFolderStores(this IServiceCollection services, string root)
    {
        services.TryAddSingleton(_ => new ProcessScratch(root));
        services.TryAddSingleton<IArtifactStore>(provider => new FolderArtifactStore(root, provider.GetRequiredService<ProcessScratch>()));
        services.TryAddSingleton<IEventStore>(_ => new FolderEventStore(root));
        services.TryAddSingleton<IStageResults>(provider => new FolderStageResults(root, provider.GetRequiredService<TimeProvider>()));
        services.TryAddSingleton<ICheckpointStore>(_ => new FolderCheckpointStore(root));
    }
}
