using ClipSae.Datasets;
using ClipSae.Datasets.Shards;
using ClipSae.Pipeline.Stages;

namespace ClipSae.SaeTraining;

/// <summary>
/// What the data set says about its pictures, and the bytes of some of those held out, read from the inputs <c>shards/SHARD</c>.
/// </summary>
/// <param name="Captions">By id.</param>
/// <param name="Labelled">Held-out pictures that have a label, at most as many as asked for, from as many classes as there are.</param>
/// <param name="Classes">All labels, ordinal order.</param>
public sealed record ImageTable(
    IReadOnlyDictionary<string, IReadOnlyList<string>> Captions,
    IReadOnlyList<(string Label, ReadOnlyMemory<byte> Encoded)> Labelled,
    IReadOnlyList<string> Classes
)
{
    /// <param name="heldOut">Ids of the pictures that were not trained on.</param>
    public static async Task<ImageTable> ReadAsync(
        StageContext context,
        IReadOnlySet<string> heldOut,
        SaeOptions options,
        CancellationToken cancel
    )
    {
        var captions = new Dictionary<string, IReadOnlyList<string>>(StringComparer.Ordinal);
        var classes = new SortedSet<string>(StringComparer.Ordinal);
        var labels = new SortedDictionary<string, string>(StringComparer.Ordinal);
        var shards = new List<(string Path, HashSet<string> Labelled)>();
        foreach (var (_, shard) in context.InputsUnder(InputNames.Shards))
        {
            shards.Add((await context.Artifacts.FetchAsync(shard, cancel), []));
            foreach (var item in DatasetShard.ReadItems(shards[^1].Path))
            {
                cancel.ThrowIfCancellationRequested();
                captions[item.Id] = item.Captions;
                if (item.Label is not { } label)
                {
                    continue;
                }

                classes.Add(label);
                if (heldOut.Contains(item.Id))
                {
                    labels[item.Id] = label;
                    shards[^1].Labelled.Add(item.Id);
                }
            }
        }

        var chosen = Sample(labels, options.ReconstructionImages, options.Seed);
        var labelled = shards
            .Where(shard => shard.Labelled.Overlaps(chosen))
            .SelectMany(shard => DatasetShard.Read(shard.Path))
            .Where(picture => chosen.Contains(picture.Item.Id))
            .Select(picture => (picture.Item.Label!, picture.ImageBytes));
        return new ImageTable(captions, [.. labelled], [.. classes]);
    }

    /// <summary>Ids drawn by the seed, one of each class in turn, whatever the order in which the data set has them.</summary>
    private static HashSet<string> Sample(SortedDictionary<string, string> labels, int wanted, long seed)
    {
        var random = new SeededRandom(seed, "pictures of the reconstruction check");
        var classes = labels
            .GroupBy(picture => picture.Value, picture => picture.Key, StringComparer.Ordinal)
            .OrderBy(group => group.Key, StringComparer.Ordinal)
            .Select(group => group.ToArray())
            .ToArray();
        random.Shuffle(classes);
        Array.ForEach(classes, random.Shuffle);
        return
        [
            .. classes
                .SelectMany(ids => ids.Select((id, turn) => (id, turn)))
                .OrderBy(picture => picture.turn)
                .Take(wanted)
                .Select(picture => picture.id),
        ];
    }
}
