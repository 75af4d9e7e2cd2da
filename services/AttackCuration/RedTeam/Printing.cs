using ClipSae.AttackCuration.Attacks;
using ClipSae.AttackCuration.Images;
using ClipSae.AttackCuration.Settings;
using ClipSae.AttackCuration.Words;
using ClipSae.Clip.Cuda;
using ClipSae.Clip.Model;
using ClipSae.Clip.Tokenizers;
using ClipSae.Datasets.Drawing;
using ClipSae.Results.Curation;
using static TorchSharp.torch;

namespace ClipSae.AttackCuration.RedTeam;

/// <summary>How this curation prints: in one style, or in the families that the search found this model to read.</summary>
public sealed class Printing : IDisposable
{
    private readonly ZeroShotClassifier? _others;
    private readonly FontCatalogue _fonts;
    private readonly AttackCurationOptions _options;

    private Printing(
        Printer printer,
        WordChooser words,
        ZeroShotClassifier classifier,
        ZeroShotClassifier? others,
        Ways? ways,
        FontCatalogue fonts,
        AttackCurationOptions options
    ) => (Printer, Words, Classifier, _others, Ways, _fonts, _options) = (printer, words, classifier, others, ways, fonts, options);

    public Printer Printer { get; }

    public WordChooser Words { get; }

    /// <summary>Among its names are the classes, the words given, and every other word that may be printed.</summary>
    public ZeroShotClassifier Classifier { get; }

    /// <summary>What the search decided; null if there is one style alone.</summary>
    public Ways? Ways { get; }

    /// <summary>Searches where families are asked for.</summary>
    /// <param name="classifier">Of the classes and the words given.</param>
    /// <param name="done">Told how many words the search has tried, and of how many.</param>
    public static Printing Prepare(
        ClipModel model,
        VisionPlan vision,
        ClipTokenizer tokenizer,
        ZeroShotClassifier classifier,
        CurationImages pictures,
        FontCatalogue fonts,
        AttackCurationOptions options,
        Device device,
        Action<int, int> done,
        CancellationToken cancel
    )
    {
        var preparation = model.Architecture.Preparation;
        var families = options.FamiliesWith(fonts);
        if (families.Count == 0)
        {
            var listed = new WordChooser(classifier, WordStock.Of(pictures.Words), classifier.Names.Count);
            return new Printing(Printer.Of(fonts, options.Style, preparation.Target), listed, classifier, null, null, fonts, options);
        }

        // Words that the user names are the only ones.
        var stock =
            options.Words.Count > 0
                ? WordStock.Of(pictures.Words)
                : WordStock.Draw(model, tokenizer, pictures.Classes, pictures.Words, options.HeldOutWords, fonts, options);
        var decided = classifier.Names.Count;
        var others = stock.Others.Any()
            ? ZeroShotClassifier.Create(model, tokenizer, [.. classifier.Names, .. stock.Others], options.PromptTemplates)
            : null;
        var found = new FamilySearch(vision, others ?? classifier, stock, decided, fonts, options, device).Run(
            pictures.Plain,
            families,
            done,
            cancel
        );
        var ways = Ways.Of(found, families, stock);
        return new Printing(
            Printer.Of(fonts, ways.Trained, preparation.Target),
            new WordChooser(others ?? classifier, stock, decided, ways.Words),
            others ?? classifier,
            others,
            ways,
            fonts,
            options
        );
    }

    /// <summary>How vulnerable the model is; where it hardly reads the one style given, with the family that it reads best.</summary>
    /// <param name="clean">Accuracy on pictures without print.</param>
    /// <param name="classifier">Of the classes and the words given.</param>
    public Vulnerability Judge(
        IReadOnlyList<AttackCandidate> candidates,
        double clean,
        VisionPlan vision,
        ZeroShotClassifier classifier,
        CurationImages pictures,
        Device device,
        CancellationToken cancel
    )
    {
        var vulnerability = new Vulnerability(
            candidates.Count,
            candidates.Count(candidate => candidate.Fooled),
            clean,
            classifier.Names.Count,
            null
        );
        var rates = Ways?.Found.Families;
        if (rates is null && vulnerability.Share < Ways.HardlyRead)
        {
            rates = new FamilySearch(vision, classifier, WordStock.Of(pictures.Words), classifier.Names.Count, _fonts, _options, device)
                .Run(pictures.Plain, PrintFamily.DrawableWith(_fonts), (_, _) => { }, cancel)
                .Families;
        }

        return vulnerability with
        {
            Best = rates?.MaxBy(rate => rate.Expected),
        };
    }

    /// <summary>Pictures set apart, printed on in every family; none without a search.</summary>
    public FamilyImages DrawFamilies(CurationImages pictures, AttackGenerator generator, CancellationToken cancel) =>
        Ways is null
            ? new FamilyImages()
            : FamilyImages.Draw(pictures.Apart, generator.Logits(pictures.Apart, cancel), Ways, Words, _fonts, Printer.Target, _options);

    /// <summary>Metrics of the search, and of what followed.</summary>
    public RedTeamMetrics? Metrics(IReadOnlyList<AttackCandidate> candidates, IReadOnlyList<AttackCandidate> attacks) =>
        Ways?.Metrics(candidates, attacks);

    public void Dispose() => _others?.Dispose();
}
