using System.ComponentModel.DataAnnotations;
using ClipSae.Pipeline.Stages;
using ClipSae.Tensors;

namespace ClipSae.ZeroShotEvaluation.Settings;

/// <summary>How models are scored (science, section 8).</summary>
public sealed record EvaluationOptions
{
    /// <summary>
    /// Prompts; <c>{}</c> is the class. Several are averaged after normalising (CLIP, section 3.1.4). Default: one plain prompt, as in
    /// OpenAI's typographic experiments.
    /// </summary>
    public IReadOnlyList<string> PromptTemplates { get; init; } = ["a photo of a {}"];

    /// <summary>
    /// The object classes. Default: the labels, in ordinal order, of all sets called clean or attacked together, and of any other set its
    /// own. A set that prescribes its classes (MVT) keeps them. A name that is given twice is one class (OpenAI's list for ImageNet has two
    /// such names). They also name labels that are WordNet ids, as many in the order of the ids, or numbers, from 0.
    /// </summary>
    public IReadOnlyList<string> Classes
    {
        get;
        init => field = ComposedText.OfAll(value);
    } = [];

    /// <summary>Names of classes for labels that are codes, such as <c>n02119789</c>. Default none: labels are names.</summary>
    public IReadOnlyDictionary<string, string> ClassNames { get; init; } = new Dictionary<string, string>();

    /// <summary>Images a forward pass. Default 64; bounds memory, changes no result beyond rounding.</summary>
    [Range(1, double.PositiveInfinity)]
    public int BatchSize { get; init; } = 64;

    /// <summary>Bootstrap samples. Default 1,000, the least that makes a 95 % percentile interval steady.</summary>
    [Range(1000, double.PositiveInfinity)]
    public int Resamples { get; init; } = 1000;

    /// <summary>Seed of the bootstrap. Default 0.</summary>
    public long Seed { get; init; }

    /// <summary>Precision of the vision tower; the text tower, which runs once a class, stays in float32. Default float32.</summary>
    [AllowedValues(Precision.Float32, Precision.Bfloat16)]
    public Precision Compute { get; init; } = Precision.Float32;

    /// <summary>Device of the forward passes: cpu, cuda or cuda:N. Default cpu.</summary>
    public string Device { get; init; } = "cpu";

    /// <summary>
    /// Preprocessed pixels kept in memory, MiB, shared by all sets; more go to a scratch file. Default 1,024: about 7,000 images at 224.
    /// </summary>
    [Range(1, double.PositiveInfinity)]
    public int PixelMemory { get; init; } = 1024;

    /// <summary>Images shown in the report of each kind (fixed, all wrong, made worse) and set. Default 8.</summary>
    [Range(0, double.PositiveInfinity)]
    public int Examples { get; init; } = 8;

    /// <summary>Models shown image by image: base, tuned, then others in their order. Default 2.</summary>
    [Range(0, double.PositiveInfinity)]
    public int ShownModels { get; init; } = 2;

    /// <summary>Bins of the calibration error. Default 15, as Guo et al. 2017.</summary>
    [Range(1, 1000)]
    public int CalibrationBins { get; init; } = 15;

    /// <summary>
    /// Trains a linear probe on every set of objects. Default none; <c>{}</c> trains one with the defaults of <see cref="ProbeOptions"/>.
    /// </summary>
    public ProbeOptions? Probe { get; init; }

    /// <summary>Share of a set's images that may be unreadable or unlabelled before the set is refused. Default 0.1.</summary>
    [Range(0, 1)]
    public double MaxProblemShare { get; init; } = 0.1;

    /// <exception cref="UserErrorException">A value is impossible; the message names the key.</exception>
    public void Validate()
    {
        ParameterRules.Require(this, "evaluation");
        UserErrorException.ThrowIf(
            PromptTemplates.Count == 0
                || PromptTemplates.FirstOrDefault(template => !template.Contains("{}", StringComparison.Ordinal)) is not null,
            $"evaluation.promptTemplates: "
                + $"'{PromptTemplates.FirstOrDefault(template => !template.Contains("{}", StringComparison.Ordinal))}' has no {{}} "
                + $"where the class goes; write for example \"a photo of a {{}}\""
        );

        Require(
            Classes.Distinct(StringComparer.OrdinalIgnoreCase).Count() != 1,
            "classes",
            "must name at least two classes, or none to take them from the labels"
        );
    }

    private static void Require(bool holds, string key, string rule) => UserErrorException.ThrowIf(!holds, $"evaluation.{key} {rule}");
}
