using ClipSae.Clip.Model;
using ClipSae.Clip.Tokenizers;
using ClipSae.Datasets;
using ClipSae.Datasets.Shards;
using ClipSae.FineTuning.Settings;
using ClipSae.Results.Evaluation;
using ClipSae.Results.Tuning;
using static TorchSharp.torch;

namespace ClipSae.FineTuning.Data;

/// <summary>
/// What curation printed in every family on pictures that no attack is printed on (its output <c>families</c>). Families that are held out
/// validate; of all, base and result are compared family by family.
/// </summary>
/// <param name="Items">One a picture; the attributes <c>family</c>, <c>heldOut</c>, <c>source</c> and <c>word</c> say what was printed
/// where.</param>
public sealed record FamilyImages(IReadOnlyList<DatasetItem> Items)
{
    /// <summary>There is none where curation printed in one style.</summary>
    public static FamilyImages None { get; } = new([]);

    /// <summary>Pictures of the data set that have no part in training, as attacks or clean.</summary>
    public IReadOnlySet<string> Sources => Items.Select(ValidationSplit.SourceOf).ToHashSet(StringComparer.Ordinal);

    /// <summary>Reads the shard of such pictures; null is none.</summary>
    public static FamilyImages Read(string? shard) => shard is null ? None : new([.. DatasetShard.ReadItems(shard)]);

    /// <summary>The families that training does not see.</summary>
    public IReadOnlyList<string> HeldOut => [.. Items.Where(IsHeldOut).Select(FamilyOf).Distinct(StringComparer.Ordinal)];

    /// <summary>Places of pictures in families that are held out, as many of each.</summary>
    /// <param name="maxCount">Most of all together.</param>
    public IReadOnlyList<int> Judging(int maxCount)
    {
        var families = Items
            .Index()
            .Where(entry => IsHeldOut(entry.Item))
            .GroupBy(entry => FamilyOf(entry.Item), entry => entry.Index)
            .ToArray();
        return
        [
            .. families
                .SelectMany(family => family.Select((place, rank) => (Place: place, Rank: rank)))
                .OrderBy(entry => entry.Rank)
                .ThenBy(entry => entry.Place)
                .Take(maxCount)
                .Select(entry => entry.Place)
                .Order(),
        ];
    }

    /// <summary>
    /// Accuracy under attack and attack success of two models, family by family; held-out families first, each part in the order of
    /// curation.
    /// </summary>
    /// <param name="pixels">The pictures, uint8 [pictures, 3, R, R]; disposed of here.</param>
    /// <param name="classes">What they may be taken for, besides the words printed on them.</param>
    /// <param name="basis">Loads the model of before; one at a time is in memory.</param>
    /// <param name="tuned">Loads that of after.</param>
    public IReadOnlyList<FamilyComparison> Compare(
        Tensor pixels,
        IReadOnlyList<string> classes,
        Func<ClipModel> basis,
        Func<ClipModel> tuned,
        ClipTokenizer tokenizer,
        FineTuningOptions options,
        Device device,
        CancellationToken cancel
    )
    {
        using var set = new ValidationSet(
            pixels,
            [.. Items.Select(item => item.Label!)],
            [.. classes.Union(Items.Select(WordOf), StringComparer.Ordinal)]
        );
        IReadOnlyList<string> Decide(Func<ClipModel> load)
        {
            using var model = load();
            return set.Decisions(model, tokenizer, options.PromptTemplates, device, cancel);
        }

        var (before, after) = (Decide(basis), Decide(tuned));
        return
        [
            .. Items
                .Index()
                .GroupBy(entry => FamilyOf(entry.Item), StringComparer.Ordinal)
                .Select(family => new FamilyComparison(
                    family.Key,
                    IsHeldOut(family.First().Item),
                    family.Count(),
                    LearningRates(family, before),
                    LearningRates(family, after)
                )),
        ];
    }

    private static FamilyAccuracy LearningRates(IEnumerable<(int Index, DatasetItem Item)> family, IReadOnlyList<string> decisions)
    {
        var all = family.ToArray();
        return new FamilyAccuracy(
            Math.Round(all.Average(entry => decisions[entry.Index] == entry.Item.Label ? 1.0 : 0), 6),
            Math.Round(all.Average(entry => decisions[entry.Index] == WordOf(entry.Item) ? 1.0 : 0), 6)
        );
    }

    private static string FamilyOf(DatasetItem item) => item.Attributes?["family"]?.GetValue<string>() ?? "";

    private static bool IsHeldOut(DatasetItem item) => item.Attributes?["heldOut"]?.GetValue<bool>() == true;

    private static string WordOf(DatasetItem item) => PrintedText.On(item)!.Word;
}
