using System.Text.Json.Nodes;
using ClipSae.Pipeline.Stages;

namespace ClipSae.Web.Atlas;

/// <summary>What addresses a result that is computed of an autoencoder, the base and the run's pictures with and without attacks.</summary>
internal static class VolumeKey
{
    /// <param name="more">Further inputs by name; those that the run has not are left out.</param>
    public static StageKeyParts Of(
        string stage,
        int version,
        JsonObject parameters,
        AtlasVolume volume,
        params IEnumerable<(string Name, ArtifactRef? Artifact)> more
    )
    {
        var inputs = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["sae"] = volume.Unit.Outputs[OutputNames.Autoencoder].Digest,
        };
        (string Name, ArtifactRef? Artifact)[] others =
        [
            ("model", volume.Record.State.Start!.Spec.Inputs.GetValueOrDefault(InputNames.ModelWeights)),
            ("attacks", AttackPair.Of(volume.Record)),
            .. ImageLibrary.Shards(volume.Record).Select(shard => (shard.Key, (ArtifactRef?)shard.Value)),
            .. more,
        ];
        foreach (var (name, artifact) in others.Where(other => other.Artifact is not null))
        {
            inputs[name] = artifact!.Digest;
        }

        return new StageKeyParts(stage, version, parameters, inputs);
    }
}
