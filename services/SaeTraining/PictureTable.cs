using ClipSae.Datasets;
using ClipSae.Pipeline;

namespace ClipSae.SaeTraining;

/// <summary>What the data set says about its pictures, and the bytes of those held out, read from the inputs <c>shards/SHARD</c>.</summary>
/// <param name="Captions">By id.</param>
/// <param name="Labelled">Held-out pictures that have a label, at most as many as asked for.</param>
/// <param name="Classes">All labels, ordinal order.</param>
public sealed record PictureTable(
    IReadOnlyDictionary<string, IReadOnlyList<string>> Captions,
    IReadOnlyList<(string Label, ReadOnlyMemory<byte> Encoded)> Labelled,
    IReadOnlyList<string> Classes)
{
    /// <param name="heldOut">Ids of the pictures that were not trained on.</param>
    /// <param name="labelledWanted">Labelled pictures to keep.</param>
    public static async Task<PictureTable> ReadAsync(StageContext context, IReadOnlySet<string> heldOut, int labelledWanted, CancellationToken cancel)
    {
        var captions = new Dictionary<string, IReadOnlyList<string>>(StringComparer.Ordinal);
        var labelled = new List<(string, ReadOnlyMemory<byte>)>();
        var classes = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var (_, shard) in context.InputsUnder("shards"))
        {
            foreach (var (item, encoded) in DatasetShard.Read(await context.Artifacts.FetchAsync(shard, cancel)))
            {
                cancel.ThrowIfCancellationRequested();
                captions[item.Id] = item.Captions;
                if (item.Label is not { } label)
                {
                    continue;
                }

                classes.Add(label);
                if (labelled.Count < labelledWanted && heldOut.Contains(item.Id))
                {
                    labelled.Add((label, encoded.ToArray()));
                }
            }
        }

        return new PictureTable(captions, labelled, [.. classes]);
    }
}
