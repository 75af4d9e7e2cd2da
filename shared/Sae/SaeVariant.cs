namespace ClipSae.Sae;

/// <summary>The kinds of sparse autoencoder that ClipSae trains or takes over. Closed: every consumer handles each case.</summary>
public abstract record SaeVariant
{
    private SaeVariant(int k, bool tied)
    {
        K = k;
        Tied = tied;
    }

    /// <summary>Active latents a sample (for <see cref="BatchTopK"/>: on average over the batch).</summary>
    public int K { get; init; }

    /// <summary>Whether encoder and decoder are one matrix of unit rows.</summary>
    public bool Tied { get; init; }

    /// <summary>The variant's name in options, files and tables.</summary>
    public abstract string Name { get; }

    /// <summary>Whether a latent fires above a threshold of its own, whatever the others do.</summary>
    public virtual bool HasThreshold => false;

    /// <summary><c>z = TopK(ReLU(W_enc(x − b_pre) + b_enc), k)</c> (arXiv 2406.04093, section 2.3).</summary>
    public sealed record TopK(int K, bool Tied = false) : SaeVariant(K, Tied)
    {
        /// <inheritdoc/>
        public override string Name => Tied ? "topk-tied" : "topk";
    }

    /// <summary>
    /// Keeps the k·B largest activations of a batch (arXiv 2412.06410); used afterwards with one threshold for all batches, JumpReLU-like.
    /// </summary>
    public sealed record BatchTopK(int K) : SaeVariant(K, tied: false)
    {
        /// <inheritdoc/>
        public override string Name => "batch-topk";

        /// <inheritdoc/>
        public override bool HasThreshold => true;
    }

    /// <summary>
    /// Top-K in which each nested prefix of the dictionary reconstructs by itself (arXiv 2503.17547); the loss is the mean over the
    /// prefixes.
    /// </summary>
    /// <param name="Prefixes">Fractions of the dictionary, rising, the last one 1.</param>
    public sealed record Matryoshka(int K, IReadOnlyList<double> Prefixes) : SaeVariant(K, tied: false)
    {
        /// <summary>The prefixes used when none are named: each doubles the one before.</summary>
        public static IReadOnlyList<double> DefaultPrefixes { get; } = [0.0625, 0.125, 0.25, 0.5, 1];

        /// <inheritdoc/>
        public override string Name => "matryoshka";

        /// <summary>Latents in the prefix of this share of the dictionary.</summary>
        public static int Length(double share, int latents) => (int)Math.Clamp((long)Math.Round(share * latents), 1, latents);
    }

    /// <summary>
    /// Each latent has a threshold (JumpReLU, arXiv 2407.14435), which may be 0 (ReLU); a gated autoencoder (arXiv 2404.16014) is of this
    /// kind too. It is not trained here.
    /// </summary>
    /// <param name="Latents">All of them may fire on a sample.</param>
    public sealed record JumpRelu(int Latents) : SaeVariant(Latents, tied: false)
    {
        internal const string Kind = "jumprelu";

        /// <inheritdoc/>
        public override string Name => Kind;

        /// <inheritdoc/>
        public override bool HasThreshold => true;
    }

    /// <summary>The names of those that are trained.</summary>
    public static IReadOnlyList<string> Names { get; } = ["topk", "topk-tied", "batch-topk", "matryoshka"];

    /// <summary>The variant of this name with <paramref name="k"/> active latents, or null if no variant is called so.</summary>
    public static SaeVariant? Parse(string name, int k) =>
        name switch
        {
            "topk" => new TopK(k),
            "topk-tied" => new TopK(k, Tied: true),
            "batch-topk" => new BatchTopK(k),
            "matryoshka" => new Matryoshka(k, Matryoshka.DefaultPrefixes),
            JumpRelu.Kind => new JumpRelu(k),
            _ => null,
        };
}
