using ClipSae.Clip.Preprocessing;
using ClipSae.Imaging.Resizing;
using TorchSharp;

namespace ClipSae.Clip.Architecture;

/// <summary>What kinds of models that embed images and texts together differ in beyond their sizes (science, sections 1 and 9).</summary>
public abstract record ClipFamily
{
    private ClipFamily(string name) => Name = name;

    /// <summary>
    /// OpenAI's CLIP and what follows it: class token, causal text that ends in its largest id, projections, softmax over a batch (arXiv
    /// 2103.00020).
    /// </summary>
    public static ClipFamily OpenAi { get; } = new Contrastive();

    /// <summary>
    /// SigLIP and SigLIP 2 of fixed resolution: image features by a head that attends with a probe, text that is not causal and is read at
    /// its last position, a sigmoid for each pair, with a bias (arXiv 2303.15343, 2502.14786).
    /// </summary>
    public static ClipFamily SigLip { get; } = new Sigmoid();

    /// <summary>
    /// MetaCLIP 2, of many languages: a CLIP whose texts are pieces of XLM-V and end in its end of text, which is not the largest id (arXiv
    /// 2507.22062).
    /// </summary>
    public static ClipFamily MetaClip2 { get; } = new Worldwide();

    /// <summary>Tokens of XLM-V, which no other model here has.</summary>
    public const int XlmVTokens = 901629;

    /// <summary>As people call it.</summary>
    public string Name { get; }

    /// <summary>Whether OpenAI's state dict has a name for each weight.</summary>
    public abstract bool HasOpenAiKeys { get; }

    /// <summary>Whether a class token stands before the patches, which the image features are taken from.</summary>
    public abstract bool HasClassToken { get; }

    /// <summary>
    /// Whether tokens of a text see those before them alone, and the end of the text is read (<see cref="EndsOf"/>); otherwise all see all,
    /// padding too, and the last position is read.
    /// </summary>
    public abstract bool IsTextCausal { get; }

    /// <summary>
    /// Whether each pair of image and text is judged by itself, by a sigmoid with a bias; otherwise the texts of a batch compete in a
    /// softmax.
    /// </summary>
    public abstract bool IsPairwise { get; }

    /// <summary>What LayerNorm adds to the variance.</summary>
    public abstract double NormEpsilon { get; }

    /// <summary>The activation where nothing names another.</summary>
    public abstract MlpActivation Activation { get; }

    /// <summary>Means and deviations of pixels.</summary>
    public abstract PixelNormalization Normalization { get; }

    /// <summary>How a picture that is not square becomes so.</summary>
    public abstract ImageFit Fit { get; }

    /// <summary>The filter of the resize, where nothing names another.</summary>
    /// <param name="vocabulary">Tokens that the text tower knows.</param>
    public abstract ResizeFilter FilterOf(int vocabulary);

    /// <summary>Ids of start and end of a causal text.</summary>
    /// <param name="vocabulary">Tokens that the text tower knows.</param>
    /// <exception cref="InvalidOperationException">Texts are not causal.</exception>
    public abstract (int Start, int End) MarksOf(int vocabulary);

    public sealed override string ToString() => Name;

    /// <summary>Where texts are read.</summary>
    /// <param name="tokens">Ids [batch, context], int64.</param>
    /// <returns>[batch] places, int64.</returns>
    internal abstract torch.Tensor EndsOf(torch.Tensor tokens);

    /// <summary>Every key of a plain model with its shape.</summary>
    internal abstract IEnumerable<KeyValuePair<string, long[]>> Shapes(ClipArchitecture a);

    private record Contrastive(string Known = "CLIP") : ClipFamily(Known)
    {
        public override bool HasOpenAiKeys => true;

        public override bool HasClassToken => true;

        public override bool IsTextCausal => true;

        public override bool IsPairwise => false;

        public override double NormEpsilon => 1e-5;

        public override MlpActivation Activation => MlpActivation.QuickGelu;

        public override PixelNormalization Normalization => PixelNormalization.OpenAi;

        public override ImageFit Fit => ImageFit.CentreCrop;

        public override ResizeFilter FilterOf(int vocabulary) => ResizeFilter.Bicubic;

        public override (int Start, int End) MarksOf(int vocabulary) => (vocabulary - 2, vocabulary - 1);

        internal override torch.Tensor EndsOf(torch.Tensor tokens) => tokens.argmax(-1);

        internal override IEnumerable<KeyValuePair<string, long[]>> Shapes(ClipArchitecture a) => ClipKeys.OfOpenAi(a);
    }

    private sealed record Worldwide() : Contrastive("MetaCLIP 2")
    {
        // As fairseq numbers the special tokens.
        public override (int Start, int End) MarksOf(int vocabulary) => (0, 2);

        // The first end of text, as in MetaClip2TextTransformer.
        internal override torch.Tensor EndsOf(torch.Tensor tokens)
        {
            using var end = torch.tensor(MarksOf(XlmVTokens).End, dtype: tokens.dtype, device: tokens.device);
            using var isEnd = tokens.eq(end);
            using var marks = isEnd.to(torch.int32);
            return marks.argmax(-1);
        }
    }

    private sealed record Sigmoid() : ClipFamily("SigLIP")
    {
        /// <summary>Gemma's vocabulary, of SigLIP 2, whose pictures transformers resizes bilinearly.</summary>
        private const int GemmaTokens = 256000;

        public override bool HasOpenAiKeys => false;

        public override bool HasClassToken => false;

        public override bool IsTextCausal => false;

        public override bool IsPairwise => true;

        public override double NormEpsilon => 1e-6;

        public override MlpActivation Activation => MlpActivation.TanhGelu;

        public override PixelNormalization Normalization => PixelNormalization.Halves;

        public override ImageFit Fit => ImageFit.Squash;

        public override ResizeFilter FilterOf(int vocabulary) => vocabulary == GemmaTokens ? ResizeFilter.Bilinear : ResizeFilter.Bicubic;

        public override (int Start, int End) MarksOf(int vocabulary) => throw new InvalidOperationException("Its texts have no start.");

        internal override torch.Tensor EndsOf(torch.Tensor tokens) =>
            torch.tensor(Enumerable.Repeat(tokens.shape[1] - 1, (int)tokens.shape[0]).ToArray(), device: tokens.device);

        internal override IEnumerable<KeyValuePair<string, long[]>> Shapes(ClipArchitecture a) => ClipKeys.OfSigLip(a);
    }
}
