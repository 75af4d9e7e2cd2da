using ClipSae.Datasets;
using ClipSae.FineTuning.Settings;

namespace ClipSae.FineTuning.Data;

/// <summary>
/// Which pictures train and which validate. What is held out are the pictures that attacks were printed on, each with every attack made of
/// it: the true caption of a picture that validates is learned from no twin of it, clean or attacked. Indices into the items that were
/// split, ascending.
/// </summary>
/// <param name="CleanTraining">Clean pictures trained on.</param>
/// <param name="CleanValidation">Clean pictures held out, at most <see cref="FineTuningOptions.ValidationImages"/>.</param>
/// <param name="AttackTraining">Attacks trained on: all, or the pool that the seed draws.</param>
/// <param name="AttackValidation">Attacks held out, no more than a pool holds.</param>
public sealed record ValidationSplit(
    IReadOnlyList<int> CleanTraining,
    IReadOnlyList<int> CleanValidation,
    IReadOnlyList<int> AttackTraining,
    IReadOnlyList<int> AttackValidation
)
{
    /// <summary>
    /// Splits. What is held out follows from the items alone, not from arm or seed, so that arms and seeds are compared on the same
    /// pictures. A pool is drawn again for each seed, the same for every arm: intervals over seeds then say what few attacks give,
    /// whichever they are.
    /// </summary>
    /// <param name="clean">The data set's items.</param>
    /// <param name="canValidate">Whether a clean item shows one of the classes and no print.</param>
    /// <param name="attacks">Curation's items; the attribute <c>source</c> names the picture that an attack is printed on.</param>
    /// <param name="apart">
    /// Pictures that curation printed on in every family: they have no part in training. Null if there are none.
    /// </param>
    /// <param name="withoutAttacks">Whether other pictures than attacks validate what attacks else would: families that are held
    /// out.</param>
    public static ValidationSplit Draw(
        IReadOnlyList<DatasetItem> clean,
        Func<DatasetItem, bool> canValidate,
        IReadOnlyList<DatasetItem> attacks,
        FineTuningOptions options,
        IReadOnlySet<string>? apart = null,
        bool withoutAttacks = false
    )
    {
        var cleanOf = Enumerable.Range(0, clean.Count).Where(i => canValidate(clean[i])).ToLookup(i => clean[i].Id, StringComparer.Ordinal);
        var attacksOf = Enumerable
            .Range(0, attacks.Count)
            .Where(i => IsPrinted(attacks[i]))
            .ToLookup(i => SourceOf(attacks[i]), StringComparer.Ordinal);
        var cleanWanted = Wanted(cleanOf.Sum(source => source.Count()), options);
        var attacksWanted = withoutAttacks ? 0 : Wanted(attacksOf.Sum(source => source.Count()), options);

        var sources = clean.Select(item => item.Id).Concat(attacks.Select(SourceOf)).Distinct(StringComparer.Ordinal).ToArray();
        new SeededRandom(0, "validation", sources.Length).Shuffle(sources);
        var held = new HashSet<string>(StringComparer.Ordinal);
        List<int> cleanHeld = [],
            attacksHeld = [];
        foreach (var source in (apart ?? held).Order(StringComparer.Ordinal))
        {
            held.Add(source);
            cleanHeld.AddRange(cleanOf[source]);
            attacksHeld.AddRange(attacksOf[source]);
        }

        foreach (var source in sources)
        {
            var isCleanWanted = cleanHeld.Count < cleanWanted && cleanOf.Contains(source);
            if (held.Contains(source) || (!isCleanWanted && !(attacksHeld.Count < attacksWanted && attacksOf.Contains(source))))
            {
                continue;
            }

            held.Add(source);
            attacksHeld.AddRange(attacksOf[source]);
            if (isCleanWanted)
            {
                cleanHeld.AddRange(cleanOf[source]);
            }
        }

        // As many as validate at most; more of them are held out where several attacks are printed on one picture.
        var validated = options.AttackPool > 0 ? Math.Min(options.AttackPool, options.ValidationImages) : options.ValidationImages;
        return new ValidationSplit(
            Left(clean, item => item.Id, held),
            [.. cleanHeld.Take(options.ValidationImages).Order()],
            Pool(attacks, Left(attacks, SourceOf, held), options),
            [.. attacksHeld.Take(validated).Order()]
        );
    }

    private static int Wanted(int count, FineTuningOptions options) =>
        Math.Min(options.ValidationImages, (int)Math.Ceiling(options.ValidationShare * count));

    private static int[] Left(IReadOnlyList<DatasetItem> items, Func<DatasetItem, string> source, HashSet<string> held) =>
        [.. Enumerable.Range(0, items.Count).Where(i => !held.Contains(source(items[i])))];

    // Printed attacks first: pictures on which the features fire by themselves fill what these leave.
    private static int[] Pool(IReadOnlyList<DatasetItem> attacks, int[] left, FineTuningOptions options)
    {
        if (options.AttackPool == 0 || options.AttackPool >= left.Length)
        {
            return left;
        }

        new SeededRandom(options.Seed, "attack pool").Shuffle(left);
        return [.. left.OrderByDescending(i => IsPrinted(attacks[i])).Take(options.AttackPool).Order()];
    }

    internal static bool IsPrinted(DatasetItem attack) => attack.Attributes?["kind"]?.GetValue<string>() == "attack";

    internal static string SourceOf(DatasetItem attack) => attack.Attributes?["source"]?.GetValue<string>() ?? attack.Id;
}
