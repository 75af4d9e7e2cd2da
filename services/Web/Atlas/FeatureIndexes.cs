using System.Text.Json.Nodes;
using ClipSae.Pipeline.Stages;
using ClipSae.Results.Autoencoders;
using ClipSae.Web.Records;
using ClipSae.Web.Shell;

namespace ClipSae.Web.Atlas;

/// <summary>Indexes of autoencoders' features, computed from the activations that their runs stored.</summary>
internal sealed class FeatureIndexes(KeptResults<FeatureIndex> kept, AtlasShelf shelf) : IAsyncDisposable
{
    private const string Stage = "feature-index";

    /// <summary>Whether the run kept the activations that an index is computed from.</summary>
    public static bool CanCompute(AtlasVolume volume) => ActivationShards.Of(volume.Record, volume.Statistics.Hook).Count > 0;

    /// <summary>An autoencoder with where its index stands. Both are large files, and are read side by side.</summary>
    /// <exception cref="MissingPageException">The run has no such autoencoder.</exception>
    /// <exception cref="UserErrorException">What is stored of it is missing or damaged.</exception>
    public async Task<(AtlasVolume Volume, KeptResults<FeatureIndex>.Standing Standing)> OpenAsync(
        string run,
        string unit,
        CancellationToken cancel
    )
    {
        var (record, trained) = await shelf.UnitAsync(run, unit, cancel);

        // An autoencoder of one hook point has its name; of another, the index is found once its statistics have named the hook point.
        var reading = Task.Run(() => kept.FindAsync(Parts(record, trained, unit), cancel), cancel);
        var volume = await shelf.VolumeAsync(run, unit, cancel);
        var standing = await reading;
        return (volume, volume.Statistics.Hook == unit ? standing : await kept.FindAsync(Parts(volume), cancel));
    }

    /// <summary>Begins to compute an index where that is not under way.</summary>
    public void Start(AtlasVolume volume) => kept.Start(Parts(volume), volume.Record.Run, volume.Unit.Unit, async (progress, cancel) =>
        {
            var pictures = await shelf.ImagesAsync(volume.Record, cancel);
            await pictures.KeepAsync(cancel);
            return FeatureIndexing.Compute(
                volume.Autoencoder,
                await shelf.ActivationsAsync(volume, cancel),
                pictures,
                FeatureIndexing.Budget,
                progress,
                cancel
            );
        });

    /// <summary>Stops the computation of an index.</summary>
    public Task StopAsync(AtlasVolume volume) => kept.StopAsync(Parts(volume));

    public ValueTask DisposeAsync() => kept.DisposeAsync();

    private static StageKeyParts Parts(AtlasVolume volume) => Parts(volume.Record, volume.Unit, volume.Statistics.Hook);

    private static StageKeyParts Parts(RunRecord record, UnitFinished trained, string hook)
    {
        var inputs = new Dictionary<string, string>(StringComparer.Ordinal) { ["sae"] = trained.Outputs[OutputNames.Autoencoder].Digest };
        foreach (var (name, activations, ids) in ActivationShards.Of(record, hook))
        {
            (inputs[$"activations/{name}"], inputs[$"ids/{name}"]) = (activations.Digest, ids.Digest);
        }

        foreach (var (name, shard) in ImageLibrary.Shards(record))
        {
            inputs[name] = shard.Digest;
        }

        return new StageKeyParts(Stage, FeatureIndexing.Version, new JsonObject { ["budget"] = FeatureIndexing.Budget }, inputs);
    }
}
