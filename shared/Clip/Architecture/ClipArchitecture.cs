using ClipSae.Clip.Checkpoints;
using ClipSae.Clip.Preprocessing;
using ClipSae.Imaging.Resizing;

namespace ClipSae.Clip.Architecture;

/// <summary>
/// The sizes of a CLIP model, read off its tensors, and what tensors do not say: heads, activation and the preparation of pictures
/// (<see cref="ModelTraits"/>).
/// </summary>
/// <param name="EmbedDim">Width of the space that images and texts share.</param>
/// <param name="ImageResolution">Side of the square input image, pixels.</param>
/// <param name="VisionLayers">Blocks of the vision tower.</param>
/// <param name="VisionWidth">Width of the vision tower's residual stream.</param>
/// <param name="PatchSize">Side of a patch, pixels.</param>
/// <param name="ContextLength">Tokens of a text.</param>
/// <param name="VocabularySize">Tokens the text tower knows.</param>
/// <param name="TextWidth">Width of the text tower's residual stream.</param>
/// <param name="TextLayers">Blocks of the text tower.</param>
public sealed record ClipArchitecture(
    int EmbedDim,
    int ImageResolution,
    int VisionLayers,
    int VisionWidth,
    int PatchSize,
    int ContextLength,
    int VocabularySize,
    int TextWidth,
    int TextLayers
)
{
    /// <summary>OpenAI's convention for the width of a head.</summary>
    public const int HeadWidth = 64;

    // Only what differs from OpenAI's models of the same width, so that it follows where a width is changed.
    private readonly int? _visionHeads;
    private readonly int? _textHeads;
    private readonly int? _visionNeurons;
    private readonly int? _textNeurons;
    private readonly MlpActivation? _activation;
    private readonly ResizeFilter? _filter;
    private readonly ImageFit? _fit;

    /// <summary>ViT-L/14 as OpenAI released it.</summary>
    public static ClipArchitecture VitL14 { get; } = new(768, 224, 24, 1024, 14, 77, 49408, 768, 12);

    /// <summary>What else differs between kinds of models.</summary>
    public ClipFamily Family { get; init; } = ClipFamily.OpenAi;

    /// <summary>Attention heads of a vision block.</summary>
    public int VisionHeads
    {
        get => _visionHeads ?? HeadsOf(VisionWidth);
        init => _visionHeads = value == HeadsOf(VisionWidth) ? null : value;
    }

    /// <summary>Attention heads of a text block.</summary>
    public int TextHeads
    {
        get => _textHeads ?? HeadsOf(TextWidth);
        init => _textHeads = value == HeadsOf(TextWidth) ? null : value;
    }

    /// <summary>Neurons of a vision block's MLP.</summary>
    public int VisionNeurons
    {
        get => _visionNeurons ?? 4 * VisionWidth;
        init => _visionNeurons = value == 4 * VisionWidth ? null : value;
    }

    /// <summary>Neurons of a text block's MLP.</summary>
    public int TextNeurons
    {
        get => _textNeurons ?? 4 * TextWidth;
        init => _textNeurons = value == 4 * TextWidth ? null : value;
    }

    /// <summary>Between the layers of every MLP.</summary>
    public MlpActivation Activation
    {
        get => _activation ?? Family.Activation;
        init => _activation = value == Family.Activation ? null : value;
    }

    /// <summary>The filter that resizes pictures.</summary>
    public ResizeFilter Filter
    {
        get => _filter ?? Family.FilterOf(VocabularySize);
        init => _filter = value == Family.FilterOf(VocabularySize) ? null : value;
    }

    /// <summary>How a picture that is not square becomes so.</summary>
    public ImageFit Fit
    {
        get => _fit ?? Family.Fit;
        init => _fit = value == Family.Fit ? null : value;
    }

    /// <summary>What makes pictures the model's input.</summary>
    public ImagePreparation Preparation => new(ImageResolution, Fit, Filter, Family.Normalization);

    /// <summary>Whether family, activation, heads, MLPs and the resize of pictures are as in OpenAI's models of these widths.</summary>
    public bool IsOpenAi =>
        this
        == new ClipArchitecture(
            EmbedDim,
            ImageResolution,
            VisionLayers,
            VisionWidth,
            PatchSize,
            ContextLength,
            VocabularySize,
            TextWidth,
            TextLayers
        );

    /// <summary>Patches along a side of the image.</summary>
    public int Grid => ImageResolution / PatchSize;

    /// <summary>Tokens of an image that stand before its patches.</summary>
    public int ClassTokens => Family.HasClassToken ? 1 : 0;

    /// <summary>Tokens of an image: the class token, if there is one, and one a patch.</summary>
    public int VisionTokens => (Grid * Grid) + ClassTokens;

    public override string ToString() =>
        $"vision: {VisionLayers} blocks of width {VisionWidth}, patches of {PatchSize} in {ImageResolution} pixels; "
        + $"text: {TextLayers} blocks of width {TextWidth}, {ContextLength} of {VocabularySize} tokens; "
        + $"embedding of {EmbedDim}{(Family == ClipFamily.OpenAi ? "" : $"; {Family}")}"
        + (IsOpenAi ? "" : $"; {Activation}, {VisionHeads} and {TextHeads} heads");

    /// <summary>Reads the sizes off tensors with OpenAI's key names.</summary>
    /// <param name="shapes">Shape by key.</param>
    /// <param name="source">What to call the origin in an error.</param>
    /// <exception cref="UserErrorException">A key is missing or two shapes contradict each other; names the key.</exception>
    public static ClipArchitecture FromTensors(IReadOnlyDictionary<string, IReadOnlyList<long>> shapes, string source)
    {
        int Size(string key, int rank, int axis)
        {
            UserErrorException.ThrowIf(
                !shapes.TryGetValue(key, out var shape),
                $"{source}: key '{key}' is missing, so this is not a CLIP with a vision transformer under OpenAI's key names"
            );

            return shape.Count == rank && shape[axis] is > 0 and <= int.MaxValue
                ? (int)shape[axis]
                : throw new UserErrorException(
                    $"{source}: key '{key}' is [{string.Join(", ", shape)}]; it must have {rank} axes, none of them empty"
                );
        }

        // c_fc [neurons, width], or in Geometric Parametrization its theta.
        int Neurons(string blocks, int width) =>
            new[] { ClipKeys.Weight, ClipKeys.Theta }.Select(ending => blocks + "0.mlp.c_fc" + ending).FirstOrDefault(shapes.ContainsKey)
                is { } key
                ? Size(key, 2, 0)
                : 4 * width;

        var vocabulary = Size("token_embedding.weight", 2, 0);
        var family =
            shapes.ContainsKey(ClipKeys.Probe) ? ClipFamily.SigLip
            : vocabulary == ClipFamily.XlmVTokens ? ClipFamily.MetaClip2
            : ClipFamily.OpenAi;
        var patch = Size("visual.conv1.weight", 4, 3);
        var grid = (int)Math.Round(Math.Sqrt(Size("visual.positional_embedding", 2, 0) - (family.HasClassToken ? 1 : 0)));
        return new ClipArchitecture(
            EmbedDim: family.HasClassToken ? Size("text_projection", 2, 1) : Size("text_projection.weight", 2, 0),
            ImageResolution: grid * patch,
            VisionLayers: Layers(shapes.Keys, ClipKeys.VisionBlocks),
            VisionWidth: Size("visual.conv1.weight", 4, 0),
            PatchSize: patch,
            ContextLength: Size(ClipKeys.Positions, 2, 0),
            VocabularySize: vocabulary,
            TextWidth: Size("ln_final.weight", 1, 0),
            TextLayers: Layers(shapes.Keys, ClipKeys.TextBlocks)
        )
        {
            Family = family,
            VisionNeurons = Neurons(ClipKeys.VisionBlocks, Size("visual.conv1.weight", 4, 0)),
            TextNeurons = Neurons(ClipKeys.TextBlocks, Size("ln_final.weight", 1, 0)),
        };
    }

    private static int HeadsOf(int width) => Math.Max(1, width / HeadWidth);

    private static int Layers(IEnumerable<string> keys, string prefix) =>
        keys.Where(k => k.StartsWith(prefix, StringComparison.Ordinal))
            .Select(k => k[prefix.Length..].Split('.')[0])
            .Distinct(StringComparer.Ordinal)
            .Count();
}
