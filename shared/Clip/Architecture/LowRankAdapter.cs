namespace ClipSae.Clip.Architecture;

/// <summary>
/// Low-rank adaptation (LoRA, arXiv 2106.09685): W + α/rank·B·A in place of a weight W [out, in] that stays as it is; A [rank, in] is drawn
/// as PEFT draws it, B [out, rank] starts at 0, so that the model begins as what it was.
/// </summary>
/// <param name="Rank">Rows of A and columns of B.</param>
/// <param name="Alpha">The product counts α/rank.</param>
/// <param name="Targets">The linear layers of every block that are adapted, of <see cref="Layers"/>.</param>
public sealed record LowRankAdapter(int Rank, double Alpha, IReadOnlyList<string> Targets)
{
    /// <summary>Largest rank that is trained or written.</summary>
    public const int MaxRank = 1024;

    /// <summary>Linear layers of a block: the attention's input (query, key and value together) and output, the two of the MLP.</summary>
    public static IReadOnlyList<string> Layers { get; } = ["in_proj", "out_proj", "c_fc", "c_proj"];

    /// <summary>Begins the key of an A; the adapted layer follows.</summary>
    internal const string A = "lora_a.";

    /// <summary>Begins the key of a B.</summary>
    internal const string B = "lora_b.";

    /// <summary>The layer that an adapter's parameter belongs to, or null where a key is none's.</summary>
    public static string? LayerOf(string key) =>
        key.StartsWith(A, StringComparison.Ordinal) || key.StartsWith(B, StringComparison.Ordinal) ? key[A.Length..] : null;

    /// <summary>A linear layer by its weight's key, without the ending that says how its weight is used.</summary>
    internal static string LayerOfWeight(string key) =>
        key.EndsWith(ClipKeys.Weight, StringComparison.Ordinal) ? key[..^ClipKeys.Weight.Length] : key;

    /// <summary>Whether a weight is one of the adapted.</summary>
    public bool Adapts(string key) =>
        (key.StartsWith(ClipKeys.VisionBlocks, StringComparison.Ordinal) || key.StartsWith(ClipKeys.TextBlocks, StringComparison.Ordinal))
        && key.EndsWith("weight", StringComparison.Ordinal)
        && Targets.Any(target => key.Contains("." + target, StringComparison.Ordinal));
}
