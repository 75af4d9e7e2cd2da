namespace ClipSae.Contracts;

/// <summary>
/// Names of the stages' outputs; a stage that reads one has it as an input of the same name unless <see cref="InputNames"/> says otherwise.
/// Activations are named after their hook point.
/// </summary>
public static class OutputNames
{
    /// <summary>Of embedding-extraction: the images of a shard.</summary>
    public const string Ids = "ids";

    /// <summary>Of sae-training.</summary>
    public const string Autoencoder = "sae";

    /// <summary>Of sae-training.</summary>
    public const string Statistics = "statistics";

    /// <summary>Of attack-curation.</summary>
    public const string Salient = "salient";

    /// <summary>Of attack-curation: images with printed words.</summary>
    public const string Attacks = "attacks";

    /// <summary>Of attack-curation: the attacks' twins, whose print nobody can read.</summary>
    public const string Controls = "controls";

    /// <summary>Of attack-curation: images in every family of print.</summary>
    public const string Families = "families";

    /// <summary>Of attack-curation: what was printed where.</summary>
    public const string Manifest = "manifest";

    /// <summary>Of attack-curation: some attacks on one picture, to look at.</summary>
    public const string ContactSheet = "contact-sheet";

    /// <summary>Of fine-tuning and weight-conversion.</summary>
    public const string Model = "model";

    /// <summary>Of fine-tuning.</summary>
    public const string Curves = "curves";

    /// <summary>Of weight-conversion.</summary>
    public const string Proof = "proof";

    /// <summary>Of zero-shot-evaluation.</summary>
    public const string Results = "results";

    /// <summary>Of zero-shot-evaluation.</summary>
    public const string Examples = "examples";

    /// <summary>Of report: the page.</summary>
    public const string Report = "report";
}
