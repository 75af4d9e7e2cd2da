using ClipSae.AttackCuration.Settings;
using ClipSae.Clip.Preprocessing;
using ClipSae.Datasets;
using ClipSae.Datasets.Drawing;
using ClipSae.Imaging.Pixels;
using static TorchSharp.torch;

namespace ClipSae.AttackCuration.Images;

/// <summary>
/// The same pictures three times: as they are, with a wrong word printed, and with the same plate and ink made unreadable.
/// </summary>
/// <param name="Clean">uint8 [pairs, 3, R, R].</param>
/// <param name="Word">As <paramref name="Clean"/>, with the word.</param>
/// <param name="Control">As <paramref name="Word"/>, with unreadable strokes, mirrored or scrambled letters in turn.</param>
/// <param name="Labels">What the pictures show.</param>
/// <param name="Words">What is printed on them.</param>
public sealed record WordPairs(Tensor Clean, Tensor Word, Tensor Control, IReadOnlyList<string> Labels, IReadOnlyList<string> Words)
    : IDisposable
{
    private static readonly WordOverlay[] Controls = [WordOverlay.Strokes, WordOverlay.Mirrored, WordOverlay.Scrambled];

    public int Count => Labels.Count;

    /// <summary>Draws the pairs; equal sources, words and seed give equal pixels.</summary>
    /// <param name="words">What may be printed; on each picture one that is not true of it.</param>
    /// <param name="preparation">What the model takes.</param>
    public static WordPairs Draw(
        IReadOnlyList<ImageSource> sources,
        AttackCurationOptions options,
        IReadOnlyList<string> words,
        Printer printer,
        ImagePreparation preparation
    )
    {
        var images = new RgbImage[3][];
        for (var version = 0; version < 3; version++)
        {
            images[version] = new RgbImage[sources.Count];
        }

        var printed = new string[sources.Count];
        Parallel.For(0, sources.Count, i =>
        {
            var random = new SeededRandom(options.Seed, "pair", i);
            var image = sources[i].Canvas(printer.Target);
            printed[i] = random.Pick([.. words.Where(sources[i].IsWrong)]);
            var shown = printer.Plan(printed[i], image, random).Shown;
            images[0][i] = image;
            images[1][i] = printer.Paint(image, shown);
            images[2][i] = printer.Paint(image, ControlOf(shown, i, options.Seed));
        });
        return new WordPairs(
            PixelLoader.Stack(images[0], preparation),
            PixelLoader.Stack(images[1], preparation),
            PixelLoader.Stack(images[2], preparation),
            [.. sources.Select(s => s.Label)],
            printed
        );
    }

    /// <summary>The unreadable twin of a printed word.</summary>
    public static IReadOnlyList<WordPlacement> ControlOf(IReadOnlyList<WordPlacement> shown, int index, long seed) =>
        WordPlanner.Control(shown, Controls[index % Controls.Length], seed + index);

    /// <summary>A contiguous part, sharing the pixels.</summary>
    public WordPairs Part(int from, int count) =>
        new(
            Clean.narrow(0, from, count),
            Word.narrow(0, from, count),
            Control.narrow(0, from, count),
            [.. Labels.Skip(from).Take(count)],
            [.. Words.Skip(from).Take(count)]
        );

    public void Dispose()
    {
        Clean.Dispose();
        Word.Dispose();
        Control.Dispose();
    }
}
