using ClipSae.Clip;
using ClipSae.Contracts;
using ClipSae.Datasets;
using Microsoft.Extensions.Logging;
using static TorchSharp.torch;

namespace ClipSae.FineTuning;

/// <summary>Everything that a fine-tuning sees, decoded once: the clean half and the attacks, each with a part kept for validation.</summary>
public sealed class TuningData : IDisposable
{
    private TuningData(CaptionedPixels clean, CaptionedPixels attacks, Tensor controls, ValidationSet cleanValidation, ValidationSet attackValidation)
    {
        (Clean, Attacks, Controls, CleanValidation, AttackValidation) = (clean, attacks, controls, cleanValidation, attackValidation);
    }

    public CaptionedPixels Clean { get; }

    public CaptionedPixels Attacks { get; }

    /// <summary>Unreadable twins of <see cref="Attacks"/>, uint8 [attacks, 3, R, R].</summary>
    public Tensor Controls { get; }

    public ValidationSet CleanValidation { get; }

    public ValidationSet AttackValidation { get; }

    /// <summary>Reads the data set's shards, the attacks and their controls.</summary>
    /// <param name="cleanShards">Paths of the data set's shards.</param>
    /// <param name="attackShard">Path of curation's <c>attacks</c>, best ranked first.</param>
    /// <param name="controlShard">Path of curation's <c>controls</c>.</param>
    /// <param name="classes">Object classes.</param>
    /// <param name="heldOut">Print kept for evaluation: pictures recorded as showing it are left out.</param>
    /// <exception cref="UserErrorException">Too few images for a batch.</exception>
    public static TuningData Read(
        IReadOnlyList<string> cleanShards, string attackShard, string controlShard, IReadOnlyList<string> classes, HeldOutPrint heldOut,
        int resolution, FineTuningOptions options, ILogger log, CancellationToken cancel)
    {
        var clean = new List<(DatasetItem Item, ReadOnlyMemory<byte> Bytes)>();
        foreach (var entry in cleanShards.SelectMany(DatasetShard.Read).Where(e => !heldOut.IsOn(e.Item)))
        {
            if (ImageDecoder.TryReadSize(entry.ImageBytes.Span, null, out _, out var problem))
            {
                clean.Add(entry);
            }
            else
            {
                log.LogWarning("{Image}: {Problem}; left out", entry.Item.Id, problem);
            }
        }

        var attacks = DatasetShard.Read(attackShard).ToList();
        var controls = DatasetShard.Read(controlShard).ToList();
        // Which images validate follows from the data alone, not from arm or seed, so that arms are compared on the same ones.
        var (cleanRows, cleanHeld) = Split(clean.Count, options, i => PrintedText.On(clean[i].Item) is null && clean[i].Item.Label is { } l && classes.Contains(l, StringComparer.Ordinal));
        var (attackRows, attackHeld) = Split(attacks.Count, options, i => Kind(attacks[i].Item) == "attack");
        if (options.AttackPool > 0)
        {
            attackRows = [.. attackRows.Take(options.AttackPool)];
        }

        if (cleanRows.Length < options.CleanBatch || attackRows.Length == 0)
        {
            throw new UserErrorException(
                $"fine-tuning: {cleanRows.Length} clean and {attackRows.Length} attack images are left for training; at least {options.CleanBatch} and 1 are needed: add images or lower tuning.cleanBatch");
        }

        Tensor Pixels(IReadOnlyList<(DatasetItem Item, ReadOnlyMemory<byte> Bytes)> from, int[] rows) =>
            PixelLoader.Load(rows.Length, i => ImageDecoder.Decode(from[rows[i]].Bytes), resolution, cancel).DetachFromDisposeScope();
        CaptionedPixels Captioned(IReadOnlyList<(DatasetItem Item, ReadOnlyMemory<byte> Bytes)> from, int[] rows) =>
            new(Pixels(from, rows), [.. rows.Select(r => from[r].Item.Captions)]);
        var words = attacks.Select(a => PrintedText.On(a.Item)?.Word).OfType<string>();
        var names = classes.Union(words, StringComparer.Ordinal).ToArray();
        ValidationSet Held(IReadOnlyList<(DatasetItem Item, ReadOnlyMemory<byte> Bytes)> from, int[] rows, IReadOnlyList<string> candidates) =>
            new(Pixels(from, rows), [.. rows.Select(r => from[r].Item.Label!)], candidates);
        return new TuningData(
            Captioned(clean, cleanRows), Captioned(attacks, attackRows), Pixels(controls, attackRows),
            Held(clean, cleanHeld, classes), Held(attacks, attackHeld, names));
    }

    public void Dispose()
    {
        Clean.Dispose();
        Attacks.Dispose();
        Controls.Dispose();
        CleanValidation.Dispose();
        AttackValidation.Dispose();
    }

    private static (int[] Training, int[] Validation) Split(int count, FineTuningOptions options, Func<int, bool> canValidate)
    {
        var order = Enumerable.Range(0, count).ToArray();
        new SeededRandom(0, "validation", count).Shuffle(order);
        var held = order.Where(canValidate).Take(Math.Min(options.ValidationImages, (int)Math.Ceiling(options.ValidationShare * count))).ToHashSet();
        return ([.. Enumerable.Range(0, count).Where(i => !held.Contains(i))], [.. held.Order()]);
    }

    private static string? Kind(DatasetItem item) => item.Attributes?["kind"]?.GetValue<string>();
}
