using ClipSae.Clip.Architecture;
using ClipSae.Contracts;

namespace ClipSae.ZeroShotEvaluation.Settings;

/// <summary>How models are scored (science, section 8).</summary>
public sealed record EvaluationOptions
{
    /// <summary>
    /// Prompts; <c>{}</c> is the class. Several are averaged after normalising (CLIP, section 3.1.4). Default: one plain prompt, as in
    /// OpenAI's typographic experiments.
    /// </summary>
    public IReadOnlyList<string> Templates { get; init; } = ["a photo of a {}"];

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
    public int BatchSize { get; init; } = 64;

    /// <summary>Bootstrap samples. Default 1,000, the least that makes a 95 % percentile interval steady.</summary>
    public int Resamples { get; init; } = 1000;

    /// <summary>Seed of the bootstrap. Default 0.</summary>
    public long Seed { get; init; }

    /// <summary>Precision of the vision tower; the text tower, which runs once a class, stays in float32. Default float32.</summary>
    public ComputePrecision Precision { get; init; } = ComputePrecision.Float32;

    /// <summary>Device of the forward passes: cpu, cuda or cuda:N. Default cpu.</summary>
    public string Device { get; init; } = "cpu";

    /// <summary>
    /// Preprocessed pixels kept in memory, MiB, shared by all sets; more go to a scratch file. Default 1,024: about 7,000 images at 224.
    /// </summary>
    public int PixelMemory { get; init; } = 1024;

    /// <summary>Images shown in the report of each kind (mended, all wrong, made worse) and set. Default 8.</summary>
    public int Examples { get; init; } = 8;

    /// <summary>Models shown image by image: base, tuned, then others in their order. Default 2.</summary>
    public int ShownModels { get; init; } = 2;

    /// <summary>Bins of the calibration error. Default 15, as Guo et al. 2017.</summary>
    public int CalibrationBins { get; init; } = 15;

    /// <summary>
    /// Trains a linear probe on every set of objects. Default none; <c>{}</c> trains one with the defaults of <see cref="ProbeOptions"/>.
    /// </summary>
    public ProbeOptions? Probe { get; init; }

    /// <summary>Share of a set's images that may be unreadable or unlabelled before the set is refused. Default 0.1.</summary>
    public double MaxProblemShare { get; init; } = 0.1;

    /// <exception cref="UserErrorException">A value is impossible; the message names the key.</exception>
    public void Validate()
    {
        if (Templates.Count == 0 || Templates.FirstOrDefault(template => !template.Contains("{}", StringComparison.Ordinal)) is not null)
        {
            throw new UserErrorException(
                $"evaluation.templates: '{Templates.FirstOrDefault(template => !template.Contains("{}", StringComparison.Ordinal))}' has no {{}} where the class goes; write for example \"a photo of a {{}}\""
            );
        }

        Require(
            Classes.Distinct(StringComparer.OrdinalIgnoreCase).Count() != 1,
            "classes",
            "must name at least two classes, or none to take them from the labels"
        );
        Require(BatchSize > 0, "batchSize", "must be 1 or more");
        Require(Resamples >= 1000, "resamples", "must be 1000 or more; fewer give unsteady intervals");
        Require(PixelMemory > 0, "pixelMemory", "must be 1 MiB or more");
        Require(ShownModels >= 0, "shownModels", "must not be negative");
        Require(CalibrationBins is >= 1 and <= 1000, "calibrationBins", "must be between 1 and 1000");
        Probe?.Validate();
        Require(Examples >= 0, "examples", "must not be negative");
        Require(MaxProblemShare is >= 0 and <= 1, "maxProblemShare", "must be between 0 and 1");
    }

    private static void Require(bool holds, string key, string rule)
    {
        if (!holds)
        {
            throw new UserErrorException($"evaluation.{key} {rule}");
        }
    }
}
