using ClipSae.Datasets;
using ClipSae.Datasets.Shards;
using ClipSae.Hosting.Service;
using ClipSae.Pipeline.Runs;
using ClipSae.Web.Models;
using ClipSae.Web.Records;

namespace ClipSae.Web.Atlas;

/// <summary>An attack of a run with the picture that its word was printed on.</summary>
/// <param name="Attacked">The image file with the word.</param>
/// <param name="Clean">The one without it.</param>
/// <param name="Label">What it shows.</param>
/// <param name="Word">What is printed.</param>
internal sealed record AttackPair(byte[] Attacked, byte[] Clean, string Label, string Word)
{
    /// <summary>The attack set of a run; null where it curated none.</summary>
    public static ArtifactRef? Of(RunRecord record) => record.State.Output(ParameterSections.Curation, OutputNames.Attacks);

    /// <summary>The attacks of a run whose picture is still in its data set, in the set's order; none where it curated none.</summary>
    /// <exception cref="UserErrorException">The attack set is missing or damaged.</exception>
    public static async Task<IReadOnlyList<AttackPair>> ReadAsync(
        ClipSaeRuntime runtime,
        RunRecord record,
        ImageLibrary pictures,
        int maxCount,
        CancellationToken cancel
    )
    {
        if (Of(record) is not { } artifact)
        {
            return [];
        }

        var path = await runtime.Artifacts.FetchAsync(artifact, cancel);
        var attacks = DatasetShard
            .ReadPlaces(path)
            .Where(entry =>
                entry.Item.Attributes?["kind"]?.ToString() == "attack"
                && entry.Item.Label is not null
                && PrintedText.On(entry.Item) is not null
            )
            .ToArray();
        var pairs = new List<AttackPair>();
        foreach (var attack in ShownImages.Some(attacks, maxCount))
        {
            if (await pictures.ReadAsync(attack.Item.Attributes?["source"]?.ToString() ?? "", cancel) is { } clean)
            {
                pairs.Add(
                    new AttackPair(
                        DatasetShard.ReadImage(path, attack.Offset, attack.Length),
                        clean,
                        attack.Item.Label!,
                        PrintedText.On(attack.Item)!.Word
                    )
                );
            }
        }

        return pairs;
    }
}
