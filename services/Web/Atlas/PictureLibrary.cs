using ClipSae.Contracts;
using ClipSae.Datasets;
using ClipSae.Hosting;
using ClipSae.Pipeline;

namespace ClipSae.Web;

/// <summary>The pictures of a run's data set by id, read one at a time.</summary>
internal sealed class PictureLibrary
{
    private readonly Dictionary<string, Place> _places = new(StringComparer.Ordinal);

    private PictureLibrary()
    {
    }

    /// <summary>The shards of a run's data set, by the name of the input.</summary>
    public static IEnumerable<KeyValuePair<string, ArtifactRef>> Shards(RunRecord record) =>
        (record.State.Start?.Inputs ?? new Dictionary<string, ArtifactRef>()).Where(input => input.Key.StartsWith(RunPlanner.ShardPrefix, StringComparison.Ordinal)).OrderBy(input => input.Key, StringComparer.Ordinal);

    /// <summary>Reads what pictures there are; their own bytes stay on disk.</summary>
    /// <exception cref="UserErrorException">A shard is missing or damaged.</exception>
    public static async Task<PictureLibrary> OpenAsync(ClipSaeRuntime runtime, RunRecord record, CancellationToken cancel)
    {
        var library = new PictureLibrary();
        foreach (var (_, shard) in Shards(record))
        {
            var path = await runtime.Artifacts.FetchAsync(shard, cancel);
            foreach (var (item, offset, length) in DatasetShard.ReadPlaces(path))
            {
                cancel.ThrowIfCancellationRequested();
                library._places.TryAdd(item.Id, new Place(path, offset, length, item.Label, PrintedText.On(item)?.Word));
            }
        }

        return library;
    }

    /// <summary>A picture's label; null where it has none.</summary>
    public string? Label(string id) => _places.GetValueOrDefault(id)?.Label;

    /// <summary>The word that is recorded as printed on a picture; null where none is.</summary>
    public string? Word(string id) => _places.GetValueOrDefault(id)?.Word;

    /// <summary>Ids of a few pictures, spread evenly over the data set; those without print where there are enough.</summary>
    public IEnumerable<string> Some(int count)
    {
        string[] plain = [.. _places.Where(place => place.Value.Word is null).Select(place => place.Key)];
        var from = plain.Length >= count ? plain : [.. _places.Keys];
        return Enumerable.Range(0, Math.Min(count, from.Length)).Select(place => from[place * from.Length / Math.Min(count, from.Length)]);
    }

    /// <summary>A picture's bytes; null where there is none of this id.</summary>
    public byte[]? Read(string id) => _places.GetValueOrDefault(id) is { } place ? DatasetShard.ReadPicture(place.Shard, place.Offset, place.Length) : null;

    private sealed record Place(string Shard, long Offset, int Length, string? Label, string? Word);
}
