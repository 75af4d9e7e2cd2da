using ClipSae.Imaging.Pixels;
using ClipSae.Imaging.Resizing;

namespace ClipSae.Datasets.Drawing;

/// <summary>Prints words in one style, or in families of print as often as each weighs.</summary>
public sealed class Printer
{
    private readonly FontCatalogue _fonts;
    private readonly WordPainter _painter;
    private readonly IReadOnlyList<(string? Family, double Weight, WordPlanner Planner, IReadOnlyList<string> Faces)> _ways;

    private Printer(
        FontCatalogue fonts,
        ResizeTarget target,
        IReadOnlyList<(string? Family, double Weight, WordPlanner Planner, IReadOnlyList<string> Faces)> ways
    ) => (_fonts, Target, _painter, _ways) = (fonts, target, new WordPainter(fonts), ways);

    /// <summary>What the model takes: smaller pictures are enlarged to its size before they are printed on.</summary>
    public ResizeTarget Target { get; }

    /// <summary>One style, in the roster's faces.</summary>
    public static Printer Of(FontCatalogue fonts, WordStyle style, ResizeTarget target) =>
        new(fonts, target, [(null, 1, new WordPlanner(fonts, style), fonts.Of(null))]);

    /// <summary>Families, each as often as it weighs.</summary>
    /// <param name="families">With their weights, which need not sum to 1.</param>
    public static Printer Of(FontCatalogue fonts, IReadOnlyList<(PrintFamily Family, double Weight)> families, ResizeTarget target) =>
        new(
            fonts,
            target,
            [
                .. families.Select(of =>
                    ((string?)of.Family.Name, of.Weight, new WordPlanner(fonts, of.Family.Style), fonts.Of(of.Family.Faces))
                ),
            ]
        );

    /// <summary>Chooses how a word stands on a picture.</summary>
    /// <returns>Its copies, and the family's name; null if there is one style alone.</returns>
    public (IReadOnlyList<WordPlacement> Shown, string? Family) Plan(string word, RgbImage image, SeededRandom random)
    {
        var way = _ways.Count == 1 ? _ways[0] : _ways[Drawn(random.NextDouble() * _ways.Sum(way => way.Weight))];
        return (way.Planner.Plan(word, _fonts.Covering(word, way.Faces), image, random), way.Family);
    }

    /// <summary>
    /// A picture to print on, as large as the model sees it at least: print on a smaller picture would be blurred when that is enlarged, as
    /// print before a camera is not. A smaller one is enlarged and cropped as the model's own preprocessing does it.
    /// </summary>
    /// <param name="target">What the model takes.</param>
    public static RgbImage Canvas(RgbImage image, ResizeTarget target)
    {
        var resolution = target.Resolution;
        if (Math.Min(image.Width, image.Height) >= resolution)
        {
            return image;
        }

        var rgb = new byte[3 * resolution * resolution];
        ImageResize.Resize(image, target, rgb);
        return new RgbImage(resolution, resolution, rgb);
    }

    /// <inheritdoc cref="WordPainter.Paint"/>
    public RgbImage Paint(RgbImage image, IEnumerable<WordPlacement> shown) => _painter.Paint(image, shown);

    /// <inheritdoc cref="WordPainter.Box"/>
    public (double Left, double Top, double Right, double Bottom) Box(WordPlacement placement) => _painter.Box(placement);

    private int Drawn(double at)
    {
        var way = 0;
        while (way + 1 < _ways.Count && at >= _ways[way].Weight)
        {
            at -= _ways[way++].Weight;
        }

        return way;
    }
}
