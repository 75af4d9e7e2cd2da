using ClipSae.AttackCuration.Images;
using ClipSae.AttackCuration.Settings;
using ClipSae.Clip.Architecture;
using ClipSae.Clip.Preprocessing;
using ClipSae.Datasets;
using ClipSae.Datasets.Drawing;
using ClipSae.Imaging.Pixels;
using static TorchSharp.torch;

namespace ClipSae.AttackCuration.Hygiene;

/// <summary>
/// The same pictures as they are, with a wrong word and with the name of what they show, printed by curation in each of its families of
/// print, or in its one style: examples whose truth is known.
/// </summary>
/// <param name="Clean">uint8 [pictures, 3, R, R].</param>
/// <param name="Wrong">The same with a wrong word.</param>
/// <param name="Named">The same with their own names.</param>
/// <param name="Covered">Share of each patch's pixels that the wrong word changed, float32 [pictures, patches].</param>
/// <param name="Words">The wrong words.</param>
/// <param name="Labels">What the pictures show.</param>
/// <param name="Families">Number of each picture's family of print.</param>
public sealed record OwnPrint(
    Tensor Clean,
    Tensor Wrong,
    Tensor Named,
    Tensor Covered,
    IReadOnlyList<string> Words,
    IReadOnlyList<string> Labels,
    IReadOnlyList<int> Families
) : IDisposable
{
    /// <summary>Difference of a channel, of 255, above which a pixel counts as changed.</summary>
    private const int Changed = 12;

    public int Count => Words.Count;

    /// <summary>Prints on the given pictures; equal pictures, words, options and faces give equal pixels.</summary>
    /// <param name="words">Words that may be printed; on each picture one that is not true of it.</param>
    public static OwnPrint Draw(
        IReadOnlyList<ImageSource> sources,
        IReadOnlyList<string> words,
        FontCatalogue fonts,
        ClipArchitecture architecture,
        AttackCurationOptions options
    )
    {
        var preparation = architecture.Preparation;
        IReadOnlyList<PrintFamily> families = options.FamiliesWith(fonts);
        Printer[] printers =
            families.Count == 0
                ? [Printer.Of(fonts, options.Style, preparation.Target)]
                : [.. families.Select(one => Printer.Of(fonts, [(one, 1)], preparation.Target))];
        var (clean, wrong, named) = (new RgbImage[sources.Count], new RgbImage[sources.Count], new RgbImage[sources.Count]);
        var (printed, family) = (new string[sources.Count], new int[sources.Count]);
        Parallel.For(0, sources.Count, i =>
        {
            var random = new SeededRandom(options.Seed, "own print", i);
            var image = sources[i].Canvas(preparation.Target);
            family[i] = random.Next(printers.Length);
            printed[i] = random.Pick([.. words.Where(sources[i].IsWrong)]);
            var printer = printers[family[i]];
            RgbImage Print(string word) => printer.Paint(image, printer.Plan(word, image, random).Shown);
            (clean[i], wrong[i], named[i]) = (image, Print(printed[i]), Print(sources[i].Label));
        });
        var (plain, withWord) = (PixelLoader.Stack(clean, preparation), PixelLoader.Stack(wrong, preparation));
        return new OwnPrint(
            plain,
            withWord,
            PixelLoader.Stack(named, preparation),
            CoveredOf(plain, withWord, architecture.PatchSize),
            printed,
            [.. sources.Select(s => s.Label)],
            family
        );
    }

    public void Dispose()
    {
        Clean.Dispose();
        Wrong.Dispose();
        Named.Dispose();
        Covered.Dispose();
    }

    private static Tensor CoveredOf(Tensor before, Tensor after, int patch)
    {
        using var scope = NewDisposeScope();
        return nn.functional.avg_pool2d(PixelDifference.Above(after, before, Changed), patch, patch).flatten(1).MoveToOuterDisposeScope();
    }
}
