using ClipSae.AttackCuration.Images;
using ClipSae.AttackCuration.Settings;
using ClipSae.AttackCuration.Words;
using ClipSae.Clip.Cuda;
using ClipSae.Clip.Model;
using ClipSae.Clip.Preprocessing;
using ClipSae.Datasets;
using ClipSae.Datasets.Drawing;
using ClipSae.Imaging.Pixels;
using static TorchSharp.torch;

namespace ClipSae.AttackCuration.RedTeam;

/// <summary>
/// Looks for the families of print that this model reads, by successive halving (Karnin, Koren and Somekh 2013): every family prints a few
/// words, the better half as many again and twice, until few are left. What follows depends on the seed alone, whatever the batch.
/// </summary>
public sealed class FamilySearch(
    VisionPlan vision,
    ZeroShotClassifier classifier,
    WordStock stock,
    int decided,
    FontCatalogue fonts,
    AttackCurationOptions options,
    Device device
)
{
    /// <summary>Families at which the halving ends.</summary>
    private const int MinLeft = 4;

    private readonly WordChooser _words = new(classifier, stock, decided, stock.Kinds.ToDictionary(kind => kind, _ => 1.0));

    /// <summary>What was found.</summary>
    /// <param name="Families">One rate a family, in the given order.</param>
    /// <param name="Words">One a kind of word.</param>
    /// <param name="Clean">Share of the pictures tried that the model gets right without print, among classes and words.</param>
    public sealed record Result(IReadOnlyList<FamilyRate> Families, IReadOnlyList<FamilyRate> Words, double Clean);

    /// <summary>Tries the families.</summary>
    /// <param name="sources">Pictures to print on; one may be taken by several families.</param>
    /// <param name="done">Told how many words have been tried, and of how many.</param>
    public Result Run(
        IReadOnlyList<ImageSource> sources,
        IReadOnlyList<PrintFamily> families,
        Action<int, int> done,
        CancellationToken cancel
    )
    {
        var tried = sources.Take(options.SearchWords * MinLeft).ToArray();
        var clean = Look([.. tried.Select(source => source.Canvas(vision.Architecture.Preparation.Target))], cancel);
        var counts = families.ToDictionary(family => family.Name, _ => (Tried: 0, Fooled: 0), StringComparer.Ordinal);
        var kinds = stock.Kinds.ToDictionary(kind => kind, _ => (Tried: 0, Fooled: 0));
        var (left, words) = (families, options.SearchWords);
        var total = Rounds(families.Count).Select((count, round) => count * (options.SearchWords << round)).Sum();
        while (true)
        {
            foreach (var family in left)
            {
                foreach (var (kind, fooled) in Try(family, counts[family.Name].Tried, words, tried, clean, cancel))
                {
                    counts[family.Name] = (counts[family.Name].Tried + 1, counts[family.Name].Fooled + (fooled ? 1 : 0));
                    kinds[kind] = (kinds[kind].Tried + 1, kinds[kind].Fooled + (fooled ? 1 : 0));
                }

                done(counts.Values.Sum(count => count.Tried), total);
            }

            if (left.Count <= MinLeft)
            {
                break;
            }

            left =
            [
                .. left.Select((family, place) => (Family: family, Place: place))
                    .OrderByDescending(f => Rate(f.Family).Share)
                    .ThenBy(f => f.Place)
                    .Take((left.Count + 1) / 2)
                    .OrderBy(f => f.Place)
                    .Select(f => f.Family),
            ];
            words *= 2;
        }

        return new Result(
            [.. families.Select(Rate)],
            [.. kinds.Select(kind => new FamilyRate(Ways.Written(kind.Key), kind.Value.Tried, kind.Value.Fooled))],
            tried.Zip(clean).Count(picture => _words.IsRight(picture.Second, picture.First.Label)) / (double)tried.Length
        );

        FamilyRate Rate(PrintFamily family) => new(family.Name, counts[family.Name].Tried, counts[family.Name].Fooled);
    }

    private static IEnumerable<int> Rounds(int families)
    {
        for (; families > MinLeft; families = (families + 1) / 2)
        {
            yield return families;
        }

        yield return families;
    }

    private List<(WordKind Kind, bool Fooled)> Try(
        PrintFamily family,
        int from,
        int count,
        ImageSource[] sources,
        List<float[]> clean,
        CancellationToken cancel
    )
    {
        var printer = Printer.Of(fonts, [(family, 1)], vision.Architecture.Preparation.Target);
        var images = new RgbImage[count];
        var printed = new (WordKind Kind, string Word)[count];
        Parallel.For(0, count, new ParallelOptions { CancellationToken = cancel }, i =>
        {
            var random = new SeededRandom(options.Seed, "red team " + family.Name, from + i);
            var place = random.Next(sources.Length);
            var kind = _words.Kind(random);
            var word = _words.Choose(kind, sources[place], clean[place], _words.WrongOn(sources[place]), [], random);
            var image = sources[place].Canvas(vision.Architecture.Preparation.Target);
            images[i] = printer.Paint(image, printer.Plan(word, image, random).Shown);
            printed[i] = (kind, word);
        });
        return [.. printed.Zip(Look(images, cancel), (of, logits) => (of.Kind, _words.IsFooled(logits, of.Word)))];
    }

    private List<float[]> Look(RgbImage[] images, CancellationToken cancel)
    {
        using var noGrad = no_grad();
        var rows = new List<float[]>();
        foreach (var batch in images.Chunk(options.BatchSize))
        {
            cancel.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            rows.AddRange(
                ImageBatches.Rows(
                    classifier.Logits(
                        vision.EncodeImage(
                            vision.Architecture.Family.Normalization.Apply(
                                PixelLoader.Stack(batch, vision.Architecture.Preparation).to(device)
                            )
                        )
                    )
                )
            );
        }

        return rows;
    }
}
