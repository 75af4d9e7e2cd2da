using ClipSae.Imaging.Resizing;

namespace ClipSae.Clip;

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

    /// <summary>As people call it.</summary>
    public string Name { get; }

    /// <summary>Whether a class token stands before the patches, which the image features are taken from.</summary>
    public abstract bool HasClassToken { get; }

    /// <summary>
    /// Whether tokens of a text see those before them alone, and the text ends at its largest id; otherwise all see all, padding too, and
    /// the last position is read.
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
    public abstract PictureFit Fit { get; }

    /// <summary>The filter of the resize, where nothing names another.</summary>
    /// <param name="vocabulary">Tokens that the text tower knows.</param>
    public abstract ResizeFilter FilterOf(int vocabulary);

    public sealed override string ToString() => Name;

    /// <summary>Every key of a plain model with its shape.</summary>
    internal abstract IEnumerable<KeyValuePair<string, long[]>> Shapes(ClipArchitecture a);

    private sealed record Contrastive() : ClipFamily("CLIP")
    {
        public override bool HasClassToken => true;

        public override bool IsTextCausal => true;

        public override bool IsPairwise => false;

        public override double NormEpsilon => 1e-5;

        public override MlpActivation Activation => MlpActivation.QuickGelu;

        public override PixelNormalization Normalization => PixelNormalization.OpenAi;

        public override PictureFit Fit => PictureFit.CentreCrop;

        public override ResizeFilter FilterOf(int vocabulary) => ResizeFilter.Bicubic;

        internal override IEnumerable<KeyValuePair<string, long[]>> Shapes(ClipArchitecture a) => ClipKeys.OfOpenAi(a);
    }

    private sealed record Sigmoid() : ClipFamily("SigLIP")
    {
        /// <summary>Gemma's vocabulary, of SigLIP 2, whose pictures transformers resizes bilinearly.</summary>
        private const int GemmaTokens = 256000;

        public override bool HasClassToken => false;

        public override bool IsTextCausal => false;

        public override bool IsPairwise => true;

        public override double NormEpsilon => 1e-6;

        public override MlpActivation Activation => MlpActivation.TanhGelu;

        public override PixelNormalization Normalization => PixelNormalization.Halves;

        public override PictureFit Fit => PictureFit.Squash;

        public override ResizeFilter FilterOf(int vocabulary) => vocabulary == GemmaTokens ? ResizeFilter.Bilinear : ResizeFilter.Bicubic;

        internal override IEnumerable<KeyValuePair<string, long[]>> Shapes(ClipArchitecture a) => ClipKeys.OfSigLip(a);
    }
}
