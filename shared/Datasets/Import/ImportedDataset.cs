using ClipSae.Datasets.Shards;

namespace ClipSae.Datasets.Import;

/// <summary>A data set in the artifact store.</summary>
/// <param name="Manifest">JSON, see <see cref="DatasetManifest"/>.</param>
/// <param name="Shards">Tar files, see <see cref="DatasetShard"/>.</param>
/// <param name="Content">What the manifest says.</param>
/// <param name="Variety">How different its pairs are.</param>
/// <param name="Images">Digests of its pictures' bytes, shortened: to find out whether two sets share some.</param>
public sealed record ImportedDataset(
    ArtifactRef Manifest,
    IReadOnlyList<ArtifactRef> Shards,
    DatasetManifest Content,
    DatasetVariety Variety,
    IReadOnlySet<UInt128> Images
);
