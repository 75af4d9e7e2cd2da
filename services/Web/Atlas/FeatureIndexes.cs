using System.Text.Json.Nodes;
using ClipSae.Pipeline;
using ClipSae.Results;

namespace ClipSae.Web;

/// <summary>Indexes of autoencoders' features, computed from the activations that their runs stored.</summary>
internal sealed class FeatureIndexes(KeptResults<FeatureIndex> kept, AtlasShelf shelf) : IAsyncDisposable
{
    private const string Stage = "feature-index";

    /// <summary>Whether the run kept the activations that an index is computed from.</summary>
    public static bool CanCompute(AtlasVolume volume) => ActivationShards.Of(volume.Record, volume.Statistics.Hook).Count > 0;

    public Task<KeptResults<FeatureIndex>.Standing> FindAsync(AtlasVolume volume, CancellationToken cancel) => kept.FindAsync(Parts(volume), cancel);

    /// <summary>Begins to compute an index where that is not under way.</summary>
    public void Start(AtlasVolume volume) => kept.Start(Parts(volume), volume.Record.Run, volume.Unit.Unit, async (progress, cancel) =>
        FeatureIndexing.Compute(volume.Autoencoder, await shelf.ActivationsAsync(volume, cancel), await shelf.PicturesAsync(volume.Record, cancel), FeatureIndexing.Budget, progress, cancel));

    /// <summary>Stops the computation of an index.</summary>
    public Task StopAsync(AtlasVolume volume) => kept.StopAsync(Parts(volume));

    public ValueTask DisposeAsync() => kept.DisposeAsync();

    private static StageKeyParts Parts(AtlasVolume volume)
    {
        var inputs = new Dictionary<string, string>(StringComparer.Ordinal) { ["sae"] = volume.Unit.Outputs["sae"].Digest };
        foreach (var (name, activations, ids) in ActivationShards.Of(volume.Record, volume.Statistics.Hook))
        {
            (inputs[$"activations/{name}"], inputs[$"ids/{name}"]) = (activations.Digest, ids.Digest);
        }

        foreach (var (name, shard) in PictureLibrary.Shards(volume.Record))
        {
            inputs[name] = shard.Digest;
        }

        return new StageKeyParts(Stage, FeatureIndexing.Version, new JsonObject { ["budget"] = FeatureIndexing.Budget }, inputs);
    }
}
