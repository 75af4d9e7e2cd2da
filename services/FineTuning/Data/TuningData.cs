using System.Collections.Concurrent;
using ClipSae.Clip.Preprocessing;
using ClipSae.Datasets;
using ClipSae.Datasets.Shards;
using ClipSae.FineTuning.Settings;
using ClipSae.Imaging.Decoding;
using Microsoft.Extensions.Logging;
using static TorchSharp.torch;

namespace ClipSae.FineTuning.Data;

/// <summary>
/// Everything that a fine-tuning sees, decoded once: the clean half and the attacks, each with a part kept for validation. It stays in
/// memory, 3·R² bytes for every picture and for every attack's control (147 KiB at 224 pixels); the image files are read through and not
/// kept.
/// </summary>
public sealed class TuningData : IDisposable
{
    private TuningData(
        CaptionedPixels clean,
        CaptionedPixels attacks,
        Tensor controls,
        IReadOnlyList<int> attackSources,
        ValidationSet cleanValidation,
        ValidationSet attackValidation
    )
    {
        (Clean, Attacks, Controls, AttackSources, CleanValidation, AttackValidation) = (
            clean,
            attacks,
            controls,
            attackSources,
            cleanValidation,
            attackValidation
        );
    }

    public CaptionedPixels Clean { get; }

    public CaptionedPixels Attacks { get; }

    /// <summary>Unreadable twins of <see cref="Attacks"/>, uint8 [attacks, 3, R, R].</summary>
    public Tensor Controls { get; }

    /// <summary>
    /// For each of <see cref="Attacks"/>, the one of <see cref="Clean"/> that it is printed on; -1 where the picture came with its print.
    /// </summary>
    public IReadOnlyList<int> AttackSources { get; }

    public ValidationSet CleanValidation { get; }

    public ValidationSet AttackValidation { get; }

    /// <summary>
    /// Print of attacks that validate, without their pictures, labelled with the word; null where none of them is printed on a picture of
    /// the data set.
    /// </summary>
    public ValidationSet? ReadingValidation { get; private init; }

    /// <summary>
    /// What curation printed in every family; none where it printed in one style. Those of held-out families are
    /// <see cref="AttackValidation"/>.
    /// </summary>
    public FamilyImages Families { get; private init; } = FamilyImages.None;

    /// <summary>Reads the data set's shards, the attacks and their controls.</summary>
    /// <param name="cleanShards">Paths of the data set's shards.</param>
    /// <param name="attackShard">Path of curation's <c>attacks</c>.</param>
    /// <param name="controlShard">Path of curation's <c>controls</c>, in the same order.</param>
    /// <param name="classes">Object classes; a clean picture's is found as curation finds it (<see cref="ShownClass"/>).</param>
    /// <param name="heldOut">Print kept for evaluation: pictures recorded as showing it are left out.</param>
    /// <param name="captions">New captions of clean pictures by id; a picture that has none is left out. Others keep theirs.</param>
    /// <param name="familyShard">Path of curation's <c>families</c>; null if there is none.</param>
    /// <param name="hidden">Print that is painted over on clean pictures; null if there is none.</param>
    /// <exception cref="UserErrorException">Too few images for a batch, or none to validate on.</exception>
    public static TuningData Read(
        IReadOnlyList<string> cleanShards,
        string attackShard,
        string controlShard,
        IReadOnlyList<string> classes,
        HeldOutPrint heldOut,
        ImagePreparation preparation,
        FineTuningOptions options,
        ILogger log,
        CancellationToken cancel,
        IReadOnlyDictionary<string, IReadOnlyList<string>>? captions = null,
        string? familyShard = null,
        HiddenPrint? hidden = null
    )
    {
        var clean = new List<DatasetItem>();
        var places = new List<int>();
        foreach (
            var (place, (item, bytes)) in cleanShards.SelectMany(DatasetShard.Read).Index().Where(entry => !heldOut.IsOn(entry.Item.Item))
        )
        {
            cancel.ThrowIfCancellationRequested();
            var changed = captions?.GetValueOrDefault(item.Id);
            if (changed is [])
            {
                continue;
            }

            if (ImageDecoder.TryReadSize(bytes.Span, null, out _, out var problem))
            {
                clean.Add(changed is null ? item : item with { Captions = changed });
                places.Add(place);
            }
            else
            {
                log.LogWarning("{Image}: {Problem}; left out", item.Id, problem);
            }
        }

        var attacks = DatasetShard.ReadItems(attackShard).ToArray();
        var families = FamilyImages.Read(familyShard);
        var judging = families.Judging(
            options.AttackPool > 0 ? Math.Min(options.AttackPool, options.ValidationImages) : options.ValidationImages
        );
        bool CanValidate(DatasetItem item) => PrintedText.On(item) is null && ShownClass.Of(item, classes) is not null;
        int[] Places(IReadOnlyList<int> items) => [.. items.Select(i => places[i])];
        ValidationSplit split;
        Tensor[] cleanPixels;
        var damaged = new ConcurrentDictionary<string, string>(StringComparer.Ordinal);
        do
        {
            split = ValidationSplit.Draw(clean, CanValidate, attacks, options, families.Sources, withoutAttacks: judging.Count > 0);
            Require(split, judging.Count, options);
            damaged.Clear();
            cleanPixels = Decode(
                cleanShards,
                [Places(split.CleanTraining), Places(split.CleanValidation)],
                preparation,
                (id, problem) => damaged[id] = problem,
                cancel
            );
            LeaveOut(damaged, clean, places, cleanPixels, log);
        } while (!damaged.IsEmpty);

        hidden?.Paint(cleanPixels[0], [.. split.CleanTraining.Select(i => clean[i].Id)], cancel);
        hidden?.Paint(cleanPixels[1], [.. split.CleanValidation.Select(i => clean[i].Id)], cancel);
        var attackPixels = Decode([attackShard], [split.AttackTraining, split.AttackValidation], preparation, null, cancel);
        var controlPixels = Decode([controlShard], [split.AttackTraining], preparation, null, cancel);
        var judges =
            judging.Count > 0 ? judging.Select(i => families.Items[i]).ToArray() : [.. split.AttackValidation.Select(i => attacks[i])];
        var judgePixels = judging.Count > 0 ? Decode([familyShard!], [judging], preparation, null, cancel)[0] : attackPixels[1];
        string[] candidates =
        [
            .. classes.Union(
                attacks.Concat(judges).Select(attack => PrintedText.On(attack)?.Word).OfType<string>(),
                StringComparer.Ordinal
            ),
        ];
        return new TuningData(
            new CaptionedPixels(cleanPixels[0], [.. split.CleanTraining.Select(i => clean[i].Captions)]),
            new CaptionedPixels(attackPixels[0], [.. split.AttackTraining.Select(i => attacks[i].Captions)]),
            controlPixels[0],
            Sources(split, clean, attacks),
            new ValidationSet(cleanPixels[1], [.. split.CleanValidation.Select(i => ShownClass.Of(clean[i], classes)!)], classes),
            new ValidationSet(judgePixels, [.. judges.Select(judge => judge.Label!)], candidates)
        )
        {
            Families = families,
            ReadingValidation = Reading(judges, clean, judgePixels, preparation.Normalization, candidates, options, items =>
                Decode(cleanShards, [Places(items)], preparation, null, cancel)[0]
            ),
        };
    }

    private static ValidationSet? Reading(
        IReadOnlyList<DatasetItem> judges,
        IReadOnlyList<DatasetItem> clean,
        Tensor pixels,
        PixelNormalization normalization,
        IReadOnlyList<string> candidates,
        FineTuningOptions options,
        Func<IReadOnlyList<int>, Tensor> decode
    )
    {
        var places = clean
            .Index()
            .DistinctBy(entry => entry.Item.Id, StringComparer.Ordinal)
            .ToDictionary(entry => entry.Item.Id, entry => entry.Index, StringComparer.Ordinal);
        int[] rows = [.. Enumerable.Range(0, judges.Count).Where(row => places.ContainsKey(ValidationSplit.SourceOf(judges[row])))];
        if (rows.Length == 0)
        {
            return options.ReadingCost == 0
                ? null
                : throw new UserErrorException(
                    "tuning.readingCost: none of the held-out attacks is printed on a picture of the data set, "
                        + "so that there is no print to validate reading on; set it to 0"
                );
        }

        DatasetItem[] printed = [.. rows.Select(row => judges[row])];
        int[] wanted = [.. printed.Select(attack => places[ValidationSplit.SourceOf(attack)])];
        int[] distinct = [.. wanted.Distinct()];
        using var sources = decode(distinct);
        using var of = CaptionedPixels.Rows(sources, [.. wanted.Select(item => Array.IndexOf(distinct, item))]);
        using var shown = CaptionedPixels.Rows(pixels, rows);
        return new ValidationSet(
            PrintAlone.Of(shown, of, normalization).DetachFromDisposeScope(),
            [.. printed.Select(attack => PrintedText.On(attack)!.Word)],
            candidates
        );
    }

    /// <summary>Every picture of <see cref="Families"/>, uint8 [pictures, 3, R, R].</summary>
    /// <param name="shard">The shard they came from.</param>
    public static Tensor ReadPixels(string shard, FamilyImages families, ImagePreparation preparation, CancellationToken cancel) =>
        Decode(
            [shard],
            [
                [.. Enumerable.Range(0, families.Items.Count)],
            ],
            preparation,
            null,
            cancel
        )[0];

    private static void Require(ValidationSplit split, int judging, FineTuningOptions options)
    {
        UserErrorException.ThrowIf(
            split.CleanTraining.Count < options.CleanBatch || split.AttackTraining.Count == 0,
            $"fine-tuning: {split.CleanTraining.Count} clean and {split.AttackTraining.Count} attack images are left for "
                + $"training; at least {options.CleanBatch} and 1 are needed: add images or lower tuning.cleanBatch"
        );
        UserErrorException.ThrowIf(
            split.CleanValidation.Count == 0 || split.AttackValidation.Count + judging == 0,
            $"fine-tuning: {split.CleanValidation.Count} clean images that show a class and no print "
                + $"and {split.AttackValidation.Count} attacks can validate; at least 1 and 1 are needed: "
                + $"label images, or name in curation.classes what their captions do"
        );
    }

    // A header may be sound where what follows is not. The split is drawn again, so that it is the one of a data set without these
    // pictures.
    private static void LeaveOut(
        IReadOnlyDictionary<string, string> damaged,
        List<DatasetItem> clean,
        List<int> places,
        Tensor[] pixels,
        ILogger log
    )
    {
        if (damaged.Count == 0)
        {
            return;
        }

        foreach (var tensor in pixels)
        {
            tensor.Dispose();
        }

        for (var i = clean.Count - 1; i >= 0; i--)
        {
            if (damaged.TryGetValue(clean[i].Id, out var problem))
            {
                log.LogWarning("{Image}: {Problem}; left out", clean[i].Id, problem);
                clean.RemoveAt(i);
                places.RemoveAt(i);
            }
        }
    }

    private static int[] Sources(ValidationSplit split, IReadOnlyList<DatasetItem> clean, IReadOnlyList<DatasetItem> attacks)
    {
        var rows = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var (row, item) in split.CleanTraining.Index())
        {
            rows.TryAdd(clean[item].Id, row);
        }

        return
        [
            .. split.AttackTraining.Select(i =>
                ValidationSplit.IsPrinted(attacks[i]) ? rows.GetValueOrDefault(ValidationSplit.SourceOf(attacks[i]), -1) : -1
            ),
        ];
    }

    public void Dispose()
    {
        Clean.Dispose();
        Attacks.Dispose();
        Controls.Dispose();
        CleanValidation.Dispose();
        AttackValidation.Dispose();
        ReadingValidation?.Dispose();
    }

    /// <summary>Decodes the pictures that each part names by their places in the shards, which are read through once.</summary>
    private static Tensor[] Decode(
        IReadOnlyList<string> shards,
        IReadOnlyList<IReadOnlyList<int>> parts,
        ImagePreparation preparation,
        Action<string, string>? unreadable,
        CancellationToken cancel
    )
    {
        var targets = parts.Select(part => new PixelRows(part.Count, preparation)).ToArray();
        var rows = parts
            .SelectMany((part, p) => part.Select((place, row) => (Place: place, Target: targets[p], Row: row)))
            .ToDictionary(row => row.Place);
        PixelLoader.Fill(
            shards
                .SelectMany(DatasetShard.Read)
                .Index()
                .Where(entry => rows.ContainsKey(entry.Index))
                .Select(entry => (rows[entry.Index].Target, rows[entry.Index].Row, entry.Item.Item.Id, entry.Item.ImageBytes)),
            unreadable,
            cancel
        );
        return [.. targets.Select(target => target.Pixels.DetachFromDisposeScope())];
    }
}
