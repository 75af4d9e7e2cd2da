using System.Text.Json.Nodes;
using ClipSae.Contracts;
using ClipSae.Datasets;
using ClipSae.Pipeline;
using ClipSae.Sae;
using ClipSae.Tensors;
using static TorchSharp.torch;

namespace ClipSae.SaeTraining;

/// <summary>The activations of one hook point over all shards, split by image into training and held-out rows.</summary>
public sealed class ActivationSet : IDisposable
{
    private readonly Tensor _training;
    private readonly Tensor _heldOut;

    private ActivationSet(Tensor training, Tensor heldOut, int[] heldOutImage, IReadOnlyList<string> images, IReadOnlyDictionary<string, IReadOnlyList<string>> captions)
    {
        (_training, _heldOut, HeldOutImage, Images, Captions) = (training, heldOut, heldOutImage, images, captions);
    }

    public IActivationRows Training => new TensorRows(_training);

    public IActivationRows HeldOut => new TensorRows(_heldOut);

    /// <summary>For each held-out row, its image in <see cref="Images"/>.</summary>
    public IReadOnlyList<int> HeldOutImage { get; }

    /// <summary>Ids of all images.</summary>
    public IReadOnlyList<string> Images { get; }

    /// <summary>Captions by id.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<string>> Captions { get; }

    /// <summary>Reads inputs <c>activations/SHARD</c>, <c>ids/SHARD</c> and, for captions, <c>shards/SHARD</c>.</summary>
    /// <exception cref="UserErrorException">No rows, or too few to hold any out.</exception>
    public static async Task<ActivationSet> ReadAsync(StageContext context, SaeOptions options, CancellationToken cancel)
    {
        using var scope = NewDisposeScope();
        var parts = new List<Tensor>();
        var imageOfRow = new List<int>();
        var images = new List<string>();
        foreach (var (shard, artifact) in context.InputsUnder("activations"))
        {
            using var file = SafetensorsFile.Open(await context.Artifacts.FetchAsync(artifact, cancel));
            var first = images.Count;
            parts.Add(file.Read("activations"));
            imageOfRow.AddRange(file.Read("image_index").data<int>().ToArray().Select(i => first + i));
            var ids = JsonNode.Parse(await File.ReadAllBytesAsync(await context.FetchAsync("ids/" + shard, cancel), cancel));
            images.AddRange(ids!["images"]!.AsArray().Select(i => i!.GetValue<string>()));
        }

        var captions = new Dictionary<string, IReadOnlyList<string>>(StringComparer.Ordinal);
        foreach (var (_, shard) in context.InputsUnder("shards"))
        {
            foreach (var (item, _) in DatasetShard.Read(await context.Artifacts.FetchAsync(shard, cancel)))
            {
                captions[item.Id] = item.Captions;
            }
        }

        var order = Enumerable.Range(0, images.Count).ToArray();
        new SeededRandom(options.Seed, "held-out images").Shuffle(order);
        var held = order.Take((int)Math.Ceiling(options.HeldOutShare * images.Count)).ToHashSet();
        var training = Enumerable.Range(0, imageOfRow.Count).Where(r => !held.Contains(imageOfRow[r])).Select(r => (long)r).ToArray();
        var heldOut = Enumerable.Range(0, imageOfRow.Count).Where(r => held.Contains(imageOfRow[r])).Select(r => (long)r).ToArray();
        if (training.Length < 2 || heldOut.Length == 0)
        {
            throw new UserErrorException($"sae-training/{context.Unit}: {imageOfRow.Count} rows of {images.Count} images are too few to train on and hold some out; add images");
        }

        var all = cat(parts);
        return new ActivationSet(
            all.index_select(0, tensor(training)).DetachFromDisposeScope(), all.index_select(0, tensor(heldOut)).DetachFromDisposeScope(),
            [.. heldOut.Select(r => imageOfRow[(int)r])], images, captions);
    }

    public void Dispose()
    {
        _training.Dispose();
        _heldOut.Dispose();
    }
}
