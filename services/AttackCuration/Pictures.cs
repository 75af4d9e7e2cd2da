using Microsoft.Extensions.Logging;
using ClipSae.Contracts;
using ClipSae.Datasets;
using ClipSae.Pipeline;

namespace ClipSae.AttackCuration;

/// <summary>The data set as curation uses it, in an order drawn from the seed.</summary>
/// <param name="Classes">Object classes, in ordinal order.</param>
/// <param name="Plain">Pictures of a class without print: what words are printed on.</param>
/// <param name="All">Every readable picture with a caption, print or not.</param>
/// <param name="Unreadable">Pictures that do not decode, and why.</param>
public sealed record Pictures(
    IReadOnlyList<string> Classes, IReadOnlyList<PictureSource> Plain, IReadOnlyList<PictureSource> All, IReadOnlyList<string> Unreadable)
{
    /// <summary>Reads the shards; pictures that show a held-out word or face are left out.</summary>
    /// <exception cref="UserErrorException">Fewer than two classes, or too few pictures.</exception>
    public static async Task<Pictures> ReadAsync(StageContext context, AttackCurationOptions options, HeldOutPrint heldOut, CancellationToken cancel)
    {
        var all = new List<PictureSource>();
        var unreadable = new List<string>();
        foreach (var (_, shard) in context.InputsUnder("shards"))
        {
            foreach (var (item, bytes) in DatasetShard.Read(await context.Artifacts.FetchAsync(shard, cancel)))
            {
                cancel.ThrowIfCancellationRequested();
                if (heldOut.IsOn(item))
                {
                    continue;
                }

                if (!ImageDecoder.TryReadSize(bytes.Span, null, out _, out var problem))
                {
                    unreadable.Add($"{item.Id}: {problem}");
                    context.Log.LogWarning("{Image}: {Problem}; left out", item.Id, problem);
                    continue;
                }

                all.Add(new PictureSource(item, bytes, ClassOf(item, options.Classes) ?? ""));
            }
        }

        var random = new SeededRandom(options.Seed, "pictures");
        random.Shuffle(all);
        var plain = all.Where(p => p.Label.Length > 0 && PrintedText.On(p.Item) is null).ToArray();
        var classes = options.Classes.Count > 0 ? options.Classes : [.. plain.Select(p => p.Label).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
        if (classes.Count < 2)
        {
            throw new UserErrorException(
                $"attack-curation: the data set shows {classes.Count} class{(classes.Count == 1 ? "" : "es")}; attacks need at least two. Give class folders, labels, or curation.classes to find in the captions");
        }

        return plain.Length >= 8
            ? new Pictures(classes, plain, all, unreadable)
            : throw new UserErrorException($"attack-curation: only {plain.Length} usable labelled images without print; at least 8 are needed");
    }

    // A label counts where it is one of the classes, or any where none are named; without a label, a class is one that a caption names as a whole word.
    private static string? ClassOf(DatasetItem item, IReadOnlyList<string> classes) => item.Label is { } label
        ? classes.Count == 0 || classes.Contains(label, StringComparer.Ordinal) ? label : null
        : classes.FirstOrDefault(c =>
        item.Captions.Any(caption => $" {caption} ".Contains($" {c} ", StringComparison.OrdinalIgnoreCase)));
}
