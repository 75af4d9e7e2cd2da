using ClipSae.AttackCuration.Settings;
using ClipSae.Datasets;
using ClipSae.Datasets.Shards;
using ClipSae.Imaging.Decoding;
using ClipSae.Pipeline.Stages;
using Microsoft.Extensions.Logging;

namespace ClipSae.AttackCuration.Images;

/// <summary>The data set as curation uses it, in an order drawn from the seed.</summary>
/// <param name="Classes">Object classes, in ordinal order.</param>
/// <param name="Words">Words that may be printed, those held out left out.</param>
/// <param name="Plain">Pictures of a class without print, of which at least one of the words would be untrue: what words are printed
/// on.</param>
/// <param name="All">Every readable picture with a caption, print or not.</param>
/// <param name="Unreadable">Pictures that do not decode, and why.</param>
public sealed record CurationImages(
    IReadOnlyList<string> Classes,
    IReadOnlyList<string> Words,
    IReadOnlyList<ImageSource> Plain,
    IReadOnlyList<ImageSource> All,
    IReadOnlyList<string> Unreadable
)
{
    /// <summary>Most pictures set apart.</summary>
    private const int MaxApart = 128;

    /// <summary>Share of the labelled pictures without print that is set apart.</summary>
    private const double ShareApart = 0.1;

    /// <summary>Plain pictures that no attack is printed on; fine-tuning is judged by them. None if there are no families.</summary>
    public IReadOnlyList<ImageSource> Apart { get; init; } = [];

    /// <summary>Pictures that words are tried on.</summary>
    public static int AttackSources(AttackCurationOptions options) => 2 * options.Attacks;

    /// <summary>Pictures that are looked through for those on which the features fire by themselves.</summary>
    public static int NaturalSample(AttackCurationOptions options) =>
        options.NaturalImages == 0 ? 0 : 8 * Math.Max(options.NaturalImages, 32);

    // The last of the labelled pictures without print.
    private static int CountApart(int plain, AttackCurationOptions options) =>
        options.Families.Count == 0 ? 0 : Math.Min(MaxApart, (int)(ShareApart * plain));

    /// <summary>Reads the shards; pictures that show a held-out word or face are left out.</summary>
    /// <exception cref="UserErrorException">Fewer than two classes or words, or too few pictures.</exception>
    public static async Task<CurationImages> ReadAsync(
        StageContext context,
        AttackCurationOptions options,
        HeldOutPrint heldOut,
        CancellationToken cancel
    )
    {
        var read = new List<(DatasetItem Item, ReadOnlyMemory<byte> Encoded)>();
        var unreadable = new List<string>();
        foreach (var (_, shard) in context.InputsUnder(InputNames.Shards))
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

                read.Add((item, bytes));
            }
        }

        new SeededRandom(options.Seed, "pictures").Shuffle(read);
        IReadOnlyList<string> classes =
            options.Classes.Count > 0
                ? options.Classes
                :
                [
                    .. read.Where(p => PrintedText.On(p.Item) is null)
                        .Select(p => p.Item.Label)
                        .OfType<string>()
                        .Distinct(StringComparer.Ordinal)
                        .Order(StringComparer.Ordinal),
                ];
        UserErrorException.ThrowIf(
            classes.Count < 2,
            $"attack-curation: the data set shows {classes.Count} class{(classes.Count == 1 ? "" : "es")}; "
                + $"attacks need at least two. Give class folders, labels, or curation.classes to find in the captions"
        );

        string[] words = [.. (options.Words.Count > 0 ? options.Words : classes).Except(options.HeldOutWords, StringComparer.Ordinal)];
        UserErrorException.ThrowIf(
            words.Length < 2,
            "curation.words: at least two words are needed that are not held out; name some or give a data set with more classes"
        );

        ImageSource[] all = [.. read.Select(p => new ImageSource(p.Item, p.Encoded, ShownClass.Of(p.Item, classes) ?? ""))];
        bool IsPlain(ImageSource p) => p.Label.Length > 0 && PrintedText.On(p.Item) is null && words.Any(p.IsWrong);
        var damaged = Damaged(all, IsPlain, options, cancel);
        foreach (var (source, problem) in damaged)
        {
            unreadable.Add($"{source.Item.Id}: {problem}");
            context.Log.LogWarning("{Image}: {Problem}; left out", source.Item.Id, problem);
        }

        all = [.. all.Where(source => !damaged.ContainsKey(source))];
        var plain = all.Where(IsPlain).ToArray();
        var apart = CountApart(plain.Length, options);
        return plain.Length >= 8
            ? new CurationImages(classes, words, plain[..^apart], all, unreadable) { Apart = plain[^apart..] }
            : throw new UserErrorException(
                $"attack-curation: only {plain.Length} usable labelled images without print; at least 8 are needed"
            );
    }

    /// <summary>Those of the pictures that will be decoded which cannot be: a header may be sound where what follows is not.</summary>
    private static Dictionary<ImageSource, string> Damaged(
        ImageSource[] all,
        Func<ImageSource, bool> isPlain,
        AttackCurationOptions options,
        CancellationToken cancel
    )
    {
        var damaged = new Dictionary<ImageSource, string>(ReferenceEqualityComparer.Instance);
        var sound = new HashSet<ImageSource>(ReferenceEqualityComparer.Instance);
        // Each that falls out makes room for the next, which must be looked at too.
        while (true)
        {
            ImageSource[] left = [.. all.Where(source => !damaged.ContainsKey(source))];
            var plain = left.Where(isPlain).ToArray();
            var apart = plain.TakeLast(CountApart(plain.Length, options)).ToHashSet<ImageSource>(ReferenceEqualityComparer.Instance);
            var printed = plain.Take(Math.Max(options.Pairs, AttackSources(options)));
            var natural = left.Where(source => !apart.Contains(source)).Take(NaturalSample(options));
            ImageSource[] wanted = [.. printed.Concat(apart).Concat(natural).Where(source => !sound.Contains(source)).Distinct()];
            var problems = new string?[wanted.Length];
            Parallel.For(0, wanted.Length, new ParallelOptions { CancellationToken = cancel }, i =>
                ImageDecoder.TryRead(wanted[i].Encoded, null, out _, out problems[i])
            );
            if (wanted.Length == 0)
            {
                return damaged;
            }

            foreach (var (source, problem) in wanted.Zip(problems))
            {
                if (problem is null)
                {
                    sound.Add(source);
                }
                else
                {
                    damaged.Add(source, problem);
                }
            }
        }
    }
}
