using ClipSae.Clip.Architecture;
using ClipSae.Clip.Checkpoints;
using ClipSae.Clip.Tokenizers;
using ClipSae.Results.Conversion;
using ClipSae.WeightConversion.Proofs;
using ClipSae.WeightConversion.Weights;

namespace ClipSae.WeightConversion.Targets;

/// <summary>
/// A format that people load (science, section 7): how the weights are named, shaped and described in it, and what loads them again.
/// </summary>
/// <param name="Name">What the user calls it.</param>
/// <param name="Loaders">Programs that load it, for the model card.</param>
public abstract record ConversionTarget(string Name, string Loaders)
{
    /// <summary>Every format, in the order in which they are explained.</summary>
    public static IReadOnlyList<ConversionTarget> All { get; } =
    [
        new OpenAiTarget(),
        new OpenAiTorchTarget(),
        new HuggingFaceTarget(),
        new TextEncoderTarget(),
        new OpenClipTarget(),
        new OnnxTarget(),
        new GeometricTarget(),
        new LongClipTarget(),
        new PeftTarget(),
    ];

    /// <summary>Whether the format carries the tokenizer.</summary>
    public virtual bool NeedsTokenizer => false;

    /// <summary>Whether the format holds float32 alone; with another precision it is refused.</summary>
    public virtual bool IsFloat32Alone => false;

    /// <summary>Whether the format holds what changed about a base, which must be known.</summary>
    public virtual bool NeedsBase => false;

    /// <summary>The format of a family's plain weights, which a run continues with, and its weights' file.</summary>
    public static (ConversionTarget Target, string Weights) PlainOf(ClipFamily family) =>
        family.HasOpenAiKeys
            ? (new OpenAiTarget(), OpenAiTarget.FileName)
            : (new HuggingFaceTarget(), $"{new HuggingFaceTarget().Loadable[0]}/{HuggingFaceTarget.WeightsName}");

    /// <summary>Whether models of a family have the format.</summary>
    public virtual bool IsOf(ClipFamily family) => family == ClipFamily.OpenAi;

    /// <exception cref="UserErrorException">A model of the family has one of the formats not; says which it has.</exception>
    public static void Require(IEnumerable<ConversionTarget> targets, ClipFamily family, string source)
    {
        if (targets.FirstOrDefault(target => !target.IsOf(family)) is { } foreign)
        {
            throw new UserErrorException(
                $"{source}: a {family} has no format {foreign.Name}; "
                    + $"it has {string.Join(", ", All.Where(target => target.IsOf(family)).Select(target => target.Name))}"
            );
        }
    }

    /// <summary>Difference of features that is allowed in any case.</summary>
    public virtual double MinTolerance => 0;

    /// <summary>Files and folders of the format that can each be loaded by themselves, relative to the output folder.</summary>
    public abstract IReadOnlyList<string> Loadable { get; }

    /// <summary>Tensors that <see cref="Write"/> writes, for progress.</summary>
    public virtual int Tensors(PlainWeights weights) => weights.Shapes.Count;

    /// <summary>The format of a name.</summary>
    /// <exception cref="UserErrorException">There is none; the message lists them.</exception>
    public static ConversionTarget Named(string name) =>
        All.FirstOrDefault(target => target.Name == name)
        ?? throw new UserErrorException($"format '{name}' is not known; known are {string.Join(", ", All.Select(target => target.Name))}");

    /// <summary>Writes the format's files, each whole or not at all; equal sources give equal bytes.</summary>
    /// <param name="folder">An existing folder.</param>
    /// <exception cref="UserErrorException">The model or what is known of it does not fit the format, or a file cannot be
    /// written.</exception>
    public abstract void Write(ConversionMaterial material, string folder);

    /// <summary>Loads what was written.</summary>
    /// <param name="path">One of <see cref="Loadable"/>, under its folder.</param>
    /// <param name="source">The source, for parts that a format leaves out.</param>
    internal virtual (ProbeFeatures Features, WeightDifference? Worst) Load(string path, ConversionSource source, Probes probes)
    {
        using var written = ClipCheckpoint.Open(path, vision: source.Whole, named: source.Named);
        using var original = source.Open();
        return (ProbeFeatures.Of(written, probes), Differences.WorstOfWeights(new PlainWeights(original), new PlainWeights(written)));
    }

    /// <summary>The tokenizer, which the format needs.</summary>
    private protected ClipTokenizer Tokenizer(ConversionMaterial material) =>
        material.Tokenizer is not { } tokenizer
            ? throw new UserErrorException(
                $"format {Name} carries the tokenizer, and none is known: "
                    + "put the model's vocabulary next to the weights, or specify it with --tokenizer"
            )
        : tokenizer.VocabularySize == material.Architecture.VocabularySize ? tokenizer
        : throw new UserErrorException(
            $"the tokenizer has {tokenizer.VocabularySize} tokens, but the model knows {material.Architecture.VocabularySize}: "
                + "name the model's own vocabulary with --tokenizer"
        );
}
