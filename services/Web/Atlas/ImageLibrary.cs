using ClipSae.Datasets;
using ClipSae.Datasets.Shards;
using ClipSae.Hosting.Service;
using ClipSae.Pipeline.Runs;
using ClipSae.Pipeline.Stages;
using ClipSae.Results;
using ClipSae.Results.Extraction;
using ClipSae.Web.Records;

namespace ClipSae.Web.Atlas;

/// <summary>The pictures of a run's data set by id, read one at a time.</summary>
internal sealed class ImageLibrary
{
    private const string Stage = "picture-places";
    private const int Version = 1;
    private const string Output = "result";
    private readonly Dictionary<string, Place> _places = new(StringComparer.Ordinal);
    private readonly ClipSaeRuntime _runtime;
    private readonly Func<CancellationToken, Task> _keep;

    private ImageLibrary(
        ClipSaeRuntime runtime,
        IEnumerable<(ArtifactRef Shard, ShardPlaces Places)> shards,
        Func<CancellationToken, Task> keep
    )
    {
        (_runtime, _keep) = (runtime, keep);
        foreach (var (shard, places) in shards)
        {
            for (var place = 0; place < places.Ids.Count; place++)
            {
                _places.TryAdd(
                    places.Ids[place],
                    new Place(shard, places.Offsets[place], places.Lengths[place], places.Labels[place], places.Words[place])
                );
            }
        }
    }

    /// <summary>The shards of a run's data set, by the name of the input.</summary>
    public static IEnumerable<KeyValuePair<string, ArtifactRef>> Shards(RunRecord record) =>
        (record.State.Start?.Spec.Inputs ?? new Dictionary<string, ArtifactRef>())
            .Where(input => input.Key.StartsWith(RunPlanner.ShardPrefix, StringComparison.Ordinal))
            .OrderBy(input => input.Key, StringComparer.Ordinal);

    /// <summary>Reads what pictures there are, from what was kept or else from the shards; their own bytes stay where they are.</summary>
    /// <exception cref="UserErrorException">A shard is missing or damaged.</exception>
    public static async Task<ImageLibrary> OpenAsync(ClipSaeRuntime runtime, RunRecord record, TimeProvider time, CancellationToken cancel)
    {
        var inputs = Shards(record).ToArray();
        var parts = new StageKeyParts(
            Stage,
            Version,
            [],
            inputs.ToDictionary(input => input.Key, input => input.Value.Digest, StringComparer.Ordinal)
        );
        if (
            await runtime.Results.FindAsync(parts.Key(), cancel) is { } stored
            && stored.Outputs.TryGetValue(Output, out var artifact)
            && await runtime.Artifacts.ExistsAsync(artifact.Digest, cancel)
        )
        {
            var kept = await ResultFormats.ImagePlaces.ReadAsync(artifact, runtime.Artifacts.FetchAsync, cancel);
            return new ImageLibrary(
                runtime,
                inputs.Select((input, place) => (input.Value, Checked(kept, place, input.Key, artifact.Name))),
                _ => Task.CompletedTask
            );
        }

        // Shards are gone through side by side: of each picture a header has to be read.
        var began = time.GetTimestamp();
        var read = await Task.WhenAll(
            inputs.Select(input =>
                Task.Run(async () => Describe(input.Key, await runtime.Artifacts.FetchAsync(input.Value, cancel)), cancel)
            )
        );
        var took = time.GetElapsedTime(began).TotalSeconds;
        return new ImageLibrary(runtime, inputs.Zip(read, (input, places) => (input.Value, places)), async stop =>
        {
            var places = await runtime.Artifacts.PutBytesAsync(
                ResultFormats.ImagePlaces.Write(new ImagePlaces(read)),
                Stage + ".json",
                ResultFormats.ImagePlaces.MediaType,
                stop
            );
            await runtime.Results.SaveAsync(
                parts.Key(),
                new StoredResult(
                    parts,
                    Stage,
                    record.Run,
                    new Dictionary<string, ArtifactRef> { [Output] = places },
                    [],
                    took,
                    time.GetUtcNow()
                ),
                stop
            );
        });
    }

    /// <summary>
    /// Keeps in the store where the pictures are, if that is not there yet: the next process need not go through the shards.
    /// </summary>
    public Task KeepAsync(CancellationToken cancel) => _keep(cancel);

    /// <summary>A picture's label; null where it has none.</summary>
    public string? Label(string id) => _places.GetValueOrDefault(id)?.Label;

    /// <summary>The word that is recorded as printed on a picture; null where none is.</summary>
    public string? Word(string id) => _places.GetValueOrDefault(id)?.Word;

    /// <summary>Ids of a few pictures, spread evenly over the data set; those without print if there are enough.</summary>
    public IEnumerable<string> Some(int count)
    {
        string[] plain = [.. _places.Where(place => place.Value.Word is null).Select(place => place.Key)];
        var from = plain.Length >= count ? plain : [.. _places.Keys];
        return Enumerable.Range(0, Math.Min(count, from.Length)).Select(place => from[place * from.Length / Math.Min(count, from.Length)]);
    }

    /// <summary>
    /// A picture's bytes; null if there is none of this id. Its shard is fetched, and its digest checked, with the first picture of it.
    /// </summary>
    /// <exception cref="UserErrorException">The shard is missing or damaged.</exception>
    // For what computes on a thread of its own.
    public byte[]? Read(string id, CancellationToken cancel) => ReadAsync(id, cancel).GetAwaiter().GetResult();

    /// <inheritdoc cref="Read"/>
    public async Task<byte[]?> ReadAsync(string id, CancellationToken cancel) =>
        _places.GetValueOrDefault(id) is { } place
            ? DatasetShard.ReadImage(await _runtime.Artifacts.FetchAsync(place.Shard, cancel), place.Offset, place.Length)
            : null;

    private static ShardPlaces Describe(string name, string path)
    {
        var pictures = DatasetShard.ReadPlaces(path).ToArray();
        return new ShardPlaces(
            name,
            [.. pictures.Select(picture => picture.Item.Id)],
            [.. pictures.Select(picture => picture.Offset)],
            [.. pictures.Select(picture => picture.Length)],
            [.. pictures.Select(picture => picture.Item.Label)],
            [.. pictures.Select(picture => PrintedText.On(picture.Item)?.Word)]
        );
    }

    private static ShardPlaces Checked(ImagePlaces places, int place, string name, string source) =>
        place < places.Shards.Count
        && places.Shards[place] is var shard
        && shard.Shard == name
        && new[] { shard.Offsets.Count, shard.Lengths.Count, shard.Labels.Count, shard.Words.Count }.All(count => count == shard.Ids.Count)
            ? shard
            : throw new UserErrorException(
                $"{source} cannot be read: shard {name} is missing in it, or its lists are of different lengths"
            );

    private sealed record Place(ArtifactRef Shard, long Offset, int Length, string? Label, string? Word);
}
