namespace ClipSae.Clip.Architecture;

/// <summary>OpenAI's key names and the shapes that go with them.</summary>
public static class ClipKeys
{
    /// <summary>Prefix of the vision tower's blocks.</summary>
    public const string VisionBlocks = "visual.transformer.resblocks.";

    /// <summary>Prefix of the text tower's blocks.</summary>
    public const string TextBlocks = "transformer.resblocks.";

    /// <summary>Positions of the text tower, [context, width].</summary>
    public const string Positions = "positional_embedding";

    /// <summary>
    /// Long-CLIP's second embedding of the text's positions, next to <see cref="Positions"/> and of its sizes
    /// (<see cref="LongPositions"/>).
    /// </summary>
    public const string StretchedPositions = "positional_embedding_res";

    /// <summary>Natural logarithm of the factor on cosines, a scalar.</summary>
    public const string LogitScale = "logit_scale";

    /// <summary>What SigLIP adds to scaled cosines, a scalar.</summary>
    public const string LogitBias = "logit_bias";

    /// <summary>Prefix of SigLIP's attention pooling, whose keys OpenAI has none for.</summary>
    public const string Head = "visual.head.";

    /// <summary>What SigLIP's attention pooling asks with, [1, 1, width].</summary>
    public const string Probe = Head + "probe";

    /// <summary>The vision tower's last LayerNorm, without ending.</summary>
    public const string VisionNorm = "visual.ln_post";

    /// <summary>
    /// Begins the key of a null token [width]; the block that sees it first follows (<see cref="Clip.Architecture.NullToken"/>).
    /// </summary>
    public const string NullToken = "visual.null_token.";

    /// <summary>Ending of a plain weight.</summary>
    public const string Weight = ".weight";

    /// <summary>Ending of a direction of Geometric Parametrization, [out, in].</summary>
    public const string Theta = ".theta";

    /// <summary>Ending of a radius of Geometric Parametrization, [out, 1].</summary>
    public const string Radius = ".r";

    /// <summary>Every key of a plain model with its shape, in OpenAI's order.</summary>
    public static IEnumerable<KeyValuePair<string, long[]>> Shapes(ClipArchitecture a) => a.Family.Shapes(a);

    /// <summary>Of OpenAI's family.</summary>
    internal static IEnumerable<KeyValuePair<string, long[]>> OfOpenAi(ClipArchitecture a)
    {
        yield return new(Positions, [a.ContextLength, a.TextWidth]);
        yield return new("text_projection", [a.TextWidth, a.EmbedDim]);
        yield return new(LogitScale, []);
        yield return new("visual.class_embedding", [a.VisionWidth]);
        yield return new("visual.positional_embedding", [a.VisionTokens, a.VisionWidth]);
        yield return new("visual.proj", [a.VisionWidth, a.EmbedDim]);
        yield return new("visual.conv1.weight", [a.VisionWidth, 3, a.PatchSize, a.PatchSize]);
        foreach (
            var key in Norm("visual.ln_pre", a.VisionWidth)
                .Concat(Blocks(VisionBlocks, a.VisionLayers, a.VisionWidth, a.VisionNeurons))
                .Concat(Norm(VisionNorm, a.VisionWidth))
        )
        {
            yield return key;
        }

        foreach (var key in Text(a))
        {
            yield return key;
        }
    }

    /// <summary>Of SigLIP's: what OpenAI has none for has names of the same style.</summary>
    internal static IEnumerable<KeyValuePair<string, long[]>> OfSigLip(ClipArchitecture a)
    {
        long width = a.VisionWidth;
        return
        [
            new(Positions, [a.ContextLength, a.TextWidth]),
            new("text_projection.weight", [width, a.TextWidth]),
            new("text_projection.bias", [width]),
            new(LogitScale, []),
            new(LogitBias, []),
            new("visual.positional_embedding", [a.VisionTokens, width]),
            new("visual.conv1.weight", [width, 3, a.PatchSize, a.PatchSize]),
            new("visual.conv1.bias", [width]),
            .. Blocks(VisionBlocks, a.VisionLayers, width, a.VisionNeurons),
            .. Norm(VisionNorm, width),
            new(Probe, [1, 1, width]),
            .. Attention(Head, width),
            .. Norm(Head + "ln_1", width),
            .. Mlp(Head, width, a.VisionNeurons),
            .. Text(a),
        ];
    }

    /// <summary>The linear layers that Geometric Parametrization replaces, without ending: c_fc and c_proj of every MLP.</summary>
    public static IEnumerable<string> GeometricLayers(ClipArchitecture a)
    {
        var vision = Enumerable.Range(0, a.VisionLayers).Select(i => VisionBlocks + i);
        var text = Enumerable.Range(0, a.TextLayers).Select(i => TextBlocks + i);
        var head = a.Family.HasClassToken ? Enumerable.Empty<string>() : [Head[..^1]];
        return vision.Concat(head).Concat(text).SelectMany(block => new[] { block + ".mlp.c_fc", block + ".mlp.c_proj" });
    }

    private static IEnumerable<KeyValuePair<string, long[]>> Text(ClipArchitecture a) =>
        [
            .. Blocks(TextBlocks, a.TextLayers, a.TextWidth, a.TextNeurons),
            new("token_embedding.weight", [a.VocabularySize, a.TextWidth]),
            .. Norm("ln_final", a.TextWidth),
        ];

    private static IEnumerable<KeyValuePair<string, long[]>> Blocks(string prefix, int layers, long width, long neurons) =>
        Enumerable
            .Range(0, layers)
            .SelectMany(i =>
                Attention($"{prefix}{i}.", width)
                    .Concat(Norm($"{prefix}{i}.ln_1", width))
                    .Concat(Mlp($"{prefix}{i}.", width, neurons))
                    .Concat(Norm($"{prefix}{i}.ln_2", width))
            );

    private static IEnumerable<KeyValuePair<string, long[]>> Attention(string block, long width) =>
        [
            new(block + "attn.in_proj_weight", [3 * width, width]),
            new(block + "attn.in_proj_bias", [3 * width]),
            new(block + "attn.out_proj.weight", [width, width]),
            new(block + "attn.out_proj.bias", [width]),
        ];

    private static IEnumerable<KeyValuePair<string, long[]>> Mlp(string block, long width, long neurons) =>
        [
            new(block + "mlp.c_fc.weight", [neurons, width]),
            new(block + "mlp.c_fc.bias", [neurons]),
            new(block + "mlp.c_proj.weight", [width, neurons]),
            new(block + "mlp.c_proj.bias", [width]),
        ];

    private static IEnumerable<KeyValuePair<string, long[]>> Norm(string prefix, long width) =>
        [new(prefix + ".weight", [width]), new(prefix + ".bias", [width])];
}
