using System.ComponentModel.DataAnnotations;
using ClipSae.Datasets.Drawing;
using ClipSae.Pipeline.Stages;
using ClipSae.Tensors;

namespace ClipSae.AttackCuration.Settings;

/// <summary>How text-salient features are found and attacks chosen. Sources: science, sections 4 and 5.</summary>
public sealed record AttackCurationOptions
{
    /// <summary>Stands for every family that the machine has faces for.</summary>
    public const string AllFamilies = "all";

    /// <summary>Object classes; empty takes the labels of the data set's pictures without print. Default empty.</summary>
    public IReadOnlyList<string> Classes
    {
        get;
        init => field = ComposedText.OfAll(value);
    } = [];

    /// <summary>Words that attacks may print; empty takes the classes. Default empty.</summary>
    public IReadOnlyList<string> Words
    {
        get;
        init => field = ComposedText.OfAll(value);
    } = [];

    /// <summary>Words kept for evaluation: never printed here, and pictures recorded as showing one are left out. Default empty.</summary>
    public IReadOnlyList<string> HeldOutWords
    {
        get;
        init => field = ComposedText.OfAll(value);
    } = [];

    /// <summary>Folder of font files; null takes the catalogue's roster. Only faces that are not held out are used.</summary>
    public string? FontFolder { get; init; }

    /// <summary>
    /// Digest of the faces (<see cref="FontCatalogue.Digest"/>), since the attacks follow from them. Null takes those of the machine that
    /// works and names them in the stage's key; a machine with others refuses a run that names some. Default null.
    /// </summary>
    public string? Fonts { get; init; }

    /// <summary>Prompts for CLIP's decision; {} is the class or word. Default <c>a photo of a {}</c>.</summary>
    public IReadOnlyList<string> PromptTemplates { get; init; } = ["a photo of a {}"];

    /// <summary>
    /// Pictures shown clean, with a word and with a control. Half of them choose features, the other half measure the ablation. Default
    /// 512.
    /// </summary>
    [Range(8, double.PositiveInfinity)]
    public int Pairs { get; init; } = 512;

    /// <summary>
    /// Shares of an SAE's live latents tried as "the text-salient ones" in the causal sweep; 15 % is what the prototype found to act.
    /// Default 0.05 and 0.15.
    /// </summary>
    public IReadOnlyList<double> SalientShares { get; init; } = [0.05, 0.15];

    /// <summary>Random feature sets of equal mean activation measured next to each chosen set. Default 3.</summary>
    [Range(1, double.PositiveInfinity)]
    public int RandomDraws { get; init; } = 3;

    /// <summary>Salient neurons reported and scaled, in each layer that has any. Default 32.</summary>
    [Range(1, double.PositiveInfinity)]
    public int NeuronsPerLayer { get; init; } = 32;

    /// <summary>Attacks kept. Default 1,024.</summary>
    [Range(1, double.PositiveInfinity)]
    public int Attacks { get; init; } = 1024;

    /// <summary>Words tried on a picture. Default 2.</summary>
    [Range(1, double.PositiveInfinity)]
    public int CandidatesPerImage { get; init; } = 2;

    /// <summary>
    /// Pictures of the data set, on which the features fire by themselves, that join the attack set with their own captions. Default 64.
    /// </summary>
    [Range(0, double.PositiveInfinity)]
    public int NaturalImages { get; init; } = 64;

    /// <summary>
    /// What happens to pictures whose captions repeat the word printed on them; such captions undo what fine-tuning learns from attacks.
    /// Default <c>keep</c>.
    /// </summary>
    public CaptionHygiene CaptionHygiene { get; init; }

    /// <summary>
    /// Families of print (<see cref="PrintFamily"/>) among which the ones that this model reads are looked for; <c>all</c> takes every one
    /// that the machine has faces for, an empty list prints in <see cref="Style"/> alone. Of four and more, every fourth is held out and
    /// judges fine-tuning. Default all.
    /// </summary>
    public IReadOnlyList<string> Families { get; init; } = [AllFamilies];

    /// <summary>
    /// Words that the search tries in each family at first; the better half has as many again and twice, until four families are left.
    /// Default 32.
    /// </summary>
    [Range(1, double.PositiveInfinity)]
    public int SearchWords { get; init; } = 32;

    /// <summary>
    /// Least share of printed words that must fool the model; with fewer the run ends and says what to do. 0 continues in any case.
    /// Default 0.05.
    /// </summary>
    [Range(0, 1, MaximumIsExclusive = true)]
    public double MinFooled { get; init; } = 0.05;

    /// <summary>
    /// Least explained variance of an autoencoder, on held-out images, for its features to be used; the run ends where none reaches it.
    /// Default 0: below, the mean of the activations reconstructs better.
    /// </summary>
    [Range(double.NegativeInfinity, 1)]
    public double MinExplained { get; init; }

    /// <summary>How attack words look if there are no families. Default that of <see cref="WordStyle"/>.</summary>
    public WordStyle Style { get; init; } = new();

    /// <summary>Images in one forward. Default 128.</summary>
    [Range(1, double.PositiveInfinity)]
    public int BatchSize { get; init; } = 128;

    /// <summary>Seed of every draw. Default 0.</summary>
    public long Seed { get; init; }

    /// <summary>Precision that the vision tower computes in. Default float32.</summary>
    [AllowedValues(Precision.Float32, Precision.Bfloat16)]
    public Precision Compute { get; init; } = Precision.Float32;

    /// <summary><c>cpu</c> or <c>cuda:N</c>. Default <c>cpu</c>.</summary>
    public string Device { get; init; } = "cpu";

    /// <exception cref="UserErrorException">A value is impossible; the message names it.</exception>
    public void Validate()
    {
        ParameterRules.Require(this, "curation");
        Require(SalientShares.Count > 0 && SalientShares.All(s => s is > 0 and < 1), "salientShares", "between 0 and 1, at least one");
        Require(Families.Distinct(StringComparer.Ordinal).Count() == Families.Count, "families", "families, each once");
        foreach (var family in Families.Where(name => name != AllFamilies))
        {
            _ = PrintFamily.Named(family);
        }

        if (Style.Problem() is { } problem)
        {
            Require(false, problem.Key, problem.Rule);
        }
    }

    /// <summary>The families that are searched with the faces of this machine.</summary>
    /// <exception cref="UserErrorException">One is named that it has no faces for.</exception>
    public IReadOnlyList<PrintFamily> FamiliesWith(FontCatalogue fonts)
    {
        if (Families.Contains(AllFamilies))
        {
            return PrintFamily.DrawableWith(fonts);
        }

        var missing = Families.Select(PrintFamily.Named).FirstOrDefault(family => fonts.Of(family.Faces).Count == 0);
        return missing is null
            ? [.. PrintFamily.All.Where(family => Families.Contains(family.Name))]
            : throw new UserErrorException(
                $"curation.families: this machine has no face for '{missing.Name}'; "
                    + "install one, give curation.fontFolder, or leave that family out"
            );
    }

    private static void Require(bool holds, string key, string rule) =>
        UserErrorException.ThrowIf(!holds, $"curation.{key}: must be {rule}");
}
