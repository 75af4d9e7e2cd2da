using System.Text.Json.Serialization;
using ClipSae.Clip.Architecture;
using ClipSae.Contracts;
using ClipSae.Datasets.Drawing;

namespace ClipSae.AttackCuration.Settings;

/// <summary>How text-salient features are found and attacks chosen. Sources: science, sections 4 and 5.</summary>
public sealed record AttackCurationOptions
{
    /// <summary>Stands for every family that the machine has faces for.</summary>
    public const string AllFamilies = "all";

    /// <summary>Object classes; empty takes the labels of the data set's pictures without print.</summary>
    public IReadOnlyList<string> Classes
    {
        get;
        init => field = ComposedText.OfAll(value);
    } = [];

    /// <summary>Words that attacks may print; empty takes the classes.</summary>
    public IReadOnlyList<string> Words
    {
        get;
        init => field = ComposedText.OfAll(value);
    } = [];

    /// <summary>Words kept for evaluation: never printed here, and pictures recorded as showing one are left out.</summary>
    public IReadOnlyList<string> HeldOutWords
    {
        get;
        init => field = ComposedText.OfAll(value);
    } = [];

    /// <summary>Folder of font files; null takes the catalogue's roster. Only faces that are not held out are used.</summary>
    public string? FontFolder { get; init; }

    /// <summary>
    /// Digest of the faces (<see cref="FontCatalogue.Digest"/>), since the attacks follow from them. Null takes those of the machine that
    /// works and names them in the stage's key; a machine with others refuses a run that names some.
    /// </summary>
    public string? Fonts { get; init; }

    /// <summary>Prompts for CLIP's decision; {} is the class or word.</summary>
    public IReadOnlyList<string> PromptTemplates { get; init; } = ["a photo of a {}"];

    /// <summary>
    /// Pictures shown clean, with a word and with a control. Half of them choose features, the other half measure the ablation.
    /// </summary>
    public int Pairs { get; init; } = 512;

    /// <summary>
    /// Shares of an SAE's live latents tried as "the text-salient ones" in the causal sweep; 15 % is what the prototype found to act.
    /// </summary>
    public IReadOnlyList<double> SalientShares { get; init; } = [0.05, 0.15];

    /// <summary>Random feature sets of equal mean activation measured beside each chosen set.</summary>
    public int RandomDraws { get; init; } = 3;

    /// <summary>Salient neurons reported and scaled, in each layer that has any.</summary>
    public int NeuronsPerLayer { get; init; } = 32;

    /// <summary>Attacks kept.</summary>
    public int Attacks { get; init; } = 1024;

    /// <summary>Words tried on a picture.</summary>
    public int CandidatesPerImage { get; init; } = 2;

    /// <summary>
    /// Pictures of the data set, on which the features fire by themselves, that join the attack set with their own captions.
    /// </summary>
    public int NaturalImages { get; init; } = 64;

    /// <summary>
    /// What happens to pictures whose captions repeat the word printed on them; such captions undo what fine-tuning learns from attacks.
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
    /// </summary>
    public int SearchWords { get; init; } = 32;

    /// <summary>
    /// Least share of printed words that must fool the model; with fewer the run ends and says what to do. 0 goes on whatever there is.
    /// </summary>
    [JsonPropertyName("leastFooled")]
    public double MinFooled { get; init; } = 0.05;

    /// <summary>
    /// Least explained variance of an autoencoder, on held-out images, for its features to be used; the run ends where none reaches it.
    /// Default 0: below, the mean of the activations reconstructs better.
    /// </summary>
    [JsonPropertyName("leastExplained")]
    public double MinExplained { get; init; }

    /// <summary>How attack words look where there are no families.</summary>
    public WordStyle Style { get; init; } = new();

    /// <summary>Images in one forward.</summary>
    public int BatchSize { get; init; } = 128;

    public long Seed { get; init; }

    /// <summary>Precision that the vision tower computes in. Default float32.</summary>
    public ComputePrecision Compute { get; init; } = ComputePrecision.Float32;

    /// <summary><c>cpu</c> or <c>cuda:N</c>.</summary>
    public string Device { get; init; } = "cpu";

    /// <exception cref="UserErrorException">A value is impossible; the message names it.</exception>
    public void Validate()
    {
        Require(Pairs >= 8, "pairs", "at least 8");
        Require(SalientShares.Count > 0 && SalientShares.All(s => s is > 0 and < 1), "salientShares", "between 0 and 1, at least one");
        Require(RandomDraws >= 1, "randomDraws", "at least 1: a chosen set means nothing without its control");
        Require(NeuronsPerLayer >= 1, "neuronsPerLayer", "at least 1");
        Require(Attacks >= 1 && CandidatesPerImage >= 1 && NaturalImages >= 0, "attacks", "positive");
        Require(BatchSize >= 1, "batchSize", "at least 1");
        Require(SearchWords >= 1, "searchWords", "at least 1");
        Require(MinFooled is >= 0 and < 1, "leastFooled", "in [0, 1)");
        Require(MinExplained <= 1, "leastExplained", "at most 1");
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
                $"curation.families: this machine has no face for '{missing.Name}'; install one, give curation.fontFolder, or leave that family out"
            );
    }

    private static void Require(bool holds, string key, string rule)
    {
        if (!holds)
        {
            throw new UserErrorException($"curation.{key}: must be {rule}");
        }
    }
}
