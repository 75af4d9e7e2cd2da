using System.Globalization;
using ClipSae.Hosting.Service;
using ClipSae.Pipeline.Runs;
using ClipSae.Results;
using ClipSae.Sae.Encoding;
using ClipSae.Tensors;
using ClipSae.Web.Records;
using static TorchSharp.torch;

namespace ClipSae.Web.Atlas;

/// <summary>The stored activations of one hook point: which rows belong to which picture.</summary>
internal sealed class ActivationShards
{
    private readonly Dictionary<string, (int Shard, int Image)> _images = new(StringComparer.Ordinal);

    private ActivationShards(IReadOnlyList<Shard> shards)
    {
        Shards = shards;
        foreach (var (place, shard) in shards.Index())
        {
            foreach (var (image, id) in shard.Images.Index())
            {
                _images.TryAdd(id, (place, image));
            }
        }
    }

    /// <summary>A shard.</summary>
    /// <param name="Path">Its safetensors file.</param>
    /// <param name="Images">Ids of its pictures; <c>image_index</c> counts in this list.</param>
    public sealed record Shard(string Path, IReadOnlyList<string> Images);

    public IReadOnlyList<Shard> Shards { get; }

    /// <summary>
    /// The artifacts of a run with the activations of a hook point and the ids of their pictures, by name; none where it keeps none.
    /// </summary>
    public static IReadOnlyList<(string Name, ArtifactRef Activations, ArtifactRef Ids)> Of(RunRecord record, string hook) =>
        [
            .. from unit in record.State.Finished(ParameterSections.Extraction)
            where unit.Outputs.ContainsKey(hook) && unit.Outputs.ContainsKey("ids")
            select (unit.Unit, unit.Outputs[hook], unit.Outputs[OutputNames.Ids]),
        ];

    /// <exception cref="UserErrorException">An artifact is missing or damaged.</exception>
    public static async Task<ActivationShards> OpenAsync(ClipSaeRuntime runtime, RunRecord record, string hook, CancellationToken cancel)
    {
        var shards = new List<Shard>();
        foreach (var (_, activations, ids) in Of(record, hook))
        {
            shards.Add(
                new Shard(
                    await runtime.Artifacts.FetchAsync(activations, cancel),
                    (await ResultFormats.ShardImages.ReadAsync(ids, runtime.Artifacts.FetchAsync, cancel)).Images
                )
            );
        }

        return new ActivationShards(shards);
    }

    /// <summary>
    /// Rows of each picture of a shard, in the file's order: place in the shard's list of ids, first row, number of rows.
    /// </summary>
    public static IReadOnlyList<(int Image, int Start, int Count)> Runs(int[] imageOfRow)
    {
        var runs = new List<(int Image, int Start, int Count)>();
        for (var row = 0; row < imageOfRow.Length; row++)
        {
            if (runs.Count > 0 && runs[^1].Image == imageOfRow[row])
            {
                runs[^1] = runs[^1] with { Count = runs[^1].Count + 1 };
            }
            else
            {
                runs.Add((imageOfRow[row], row, 1));
            }
        }

        return runs;
    }

    /// <summary>An <c>int32</c> column of a shard's file; null where it has none.</summary>
    public static int[]? Column(SafetensorsFile file, string name)
    {
        using var scope = NewDisposeScope();
        return file.Entries.ContainsKey(name) ? file.Read(name).data<int>().ToArray() : null;
    }

    /// <summary>
    /// Activation of a feature on each patch of a picture, before the k largest features are selected: [side · side], rows from the top,
    /// NaN where the token was not kept. Null where the picture or its patches were not kept.
    /// </summary>
    public (int Side, float[] Values)? Patches(SparseAutoencoder sae, int feature, string id)
    {
        if (!_images.TryGetValue(id, out var at))
        {
            return null;
        }

        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var file = SafetensorsFile.Open(Shards[at.Shard].Path);
        if (
            Column(file, "token_index") is not { } tokens
            || Column(file, "image_index") is not { } images
            || !file.Metadata.TryGetValue("tokens_per_image", out var kept)
            || !int.TryParse(kept.Split(' ')[^1], NumberStyles.None, CultureInfo.InvariantCulture, out var all)
            || ClassTokens(all) is not { } before
        )
        {
            return null;
        }

        var start = Array.IndexOf(images, at.Image);
        var count =
            start < 0 ? 0
            : images.AsSpan(start).IndexOfAnyExcept(at.Image) is >= 0 and var end ? end
            : images.Length - start;
        if (count == 0)
        {
            return null;
        }

        var activations = sae.Features(file.ReadRows("activations", start, count).to(float32), [feature]).flatten().data<float>().ToArray();
        var values = new float[all - before];
        Array.Fill(values, float.NaN);
        for (var row = 0; row < count; row++)
        {
            // A class token has no place in the picture.
            if (tokens[start + row] is var token && token >= before && token < all)
            {
                values[token - before] = activations[row];
            }
        }

        return ((int)Math.Sqrt(values.Length), values);
    }

    // Patches are a square, with a class token before them or none.
    private static int? ClassTokens(int all) =>
        IsSquare(all - 1) ? 1
        : IsSquare(all) ? 0
        : null;

    private static bool IsSquare(int count) => Math.Sqrt(count) is var side && side == Math.Floor(side);
}
