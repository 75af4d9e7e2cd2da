namespace ClipSae.Clip;

/// <summary>OpenAI's key names and the shapes that go with them.</summary>
public static class ClipKeys
{
    /// <summary>Prefix of the vision tower's blocks.</summary>
    public const string VisionBlocks = "visual.transformer.resblocks.";

    /// <summary>Prefix of the text tower's blocks.</summary>
    public const string TextBlocks = "transformer.resblocks.";

    /// <summary>Positions of the text tower, [context, width].</summary>
    public const string Positions = "positional_embedding";

    /// <summary>Long-CLIP's second embedding of the text's positions, beside <see cref="Positions"/> and of its sizes (<see cref="LongPositions"/>).</summary>
    public const string StretchedPositions = "positional_embedding_res";

    /// <summary>Natural logarithm of the factor on cosines, a scalar.</summary>
    public const string LogitScale = "logit_scale";

    /// <summary>Begins the key of a null token [width]; the block that sees it first follows (<see cref="Clip.NullToken"/>).</summary>
    public const string NullToken = "visual.null_token.";

    /// <summary>Ending of a plain weight.</summary>
    public const string Weight = ".weight";

    /// <summary>Ending of a direction of Geometric Parametrization, [out, in].</summary>
    public const string Theta = ".theta";

    /// <summary>Ending of a radius of Geometric Parametrization, [out, 1].</summary>
    public const string Radius = ".r";

    /// <summary>Every key of a plain model with its shape, in OpenAI's order.</summary>
    public static IEnumerable<KeyValuePair<string, long[]>> Shapes(ClipArchitecture a)
    {
        yield return new(Positions, [a.ContextLength, a.TextWidth]);
        yield return new("text_projection", [a.TextWidth, a.EmbedDim]);
        yield return new(LogitScale, []);
        yield return new("visual.class_embedding", [a.VisionWidth]);
        yield return new("visual.positional_embedding", [a.VisionTokens, a.VisionWidth]);
        yield return new("visual.proj", [a.VisionWidth, a.EmbedDim]);
        yield return new("visual.conv1.weight", [a.VisionWidth, 3, a.PatchSize, a.PatchSize]);
        foreach (var key in Norm("visual.ln_pre", a.VisionWidth).Concat(Blocks(VisionBlocks, a.VisionLayers, a.VisionWidth, a.VisionNeurons)).Concat(Norm("visual.ln_post", a.VisionWidth)))
        {
            yield return key;
        }

        foreach (var key in Blocks(TextBlocks, a.TextLayers, a.TextWidth, a.TextNeurons))
        {
            yield return key;
        }

        yield return new("token_embedding.weight", [a.VocabularySize, a.TextWidth]);
        foreach (var key in Norm("ln_final", a.TextWidth))
        {
            yield return key;
        }
    }

    /// <summary>The linear layers that Geometric Parametrization replaces, without ending: c_fc and c_proj of every block.</summary>
    public static IEnumerable<string> GeometricLayers(ClipArchitecture a)
    {
        var vision = Enumerable.Range(0, a.VisionLayers).Select(i => VisionBlocks + i);
        var text = Enumerable.Range(0, a.TextLayers).Select(i => TextBlocks + i);
        return vision.Concat(text).SelectMany(block => new[] { block + ".mlp.c_fc", block + ".mlp.c_proj" });
    }

    private static IEnumerable<KeyValuePair<string, long[]>> Blocks(string prefix, int layers, long width, long neurons)
    {
        for (var i = 0; i < layers; i++)
        {
            var block = prefix + i;
            yield return new(block + ".attn.in_proj_weight", [3 * width, width]);
            yield return new(block + ".attn.in_proj_bias", [3 * width]);
            yield return new(block + ".attn.out_proj.weight", [width, width]);
            yield return new(block + ".attn.out_proj.bias", [width]);
            yield return new(block + ".ln_1.weight", [width]);
            yield return new(block + ".ln_1.bias", [width]);
            yield return new(block + ".mlp.c_fc.weight", [neurons, width]);
            yield return new(block + ".mlp.c_fc.bias", [neurons]);
            yield return new(block + ".mlp.c_proj.weight", [width, neurons]);
            yield return new(block + ".mlp.c_proj.bias", [width]);
            yield return new(block + ".ln_2.weight", [width]);
            yield return new(block + ".ln_2.bias", [width]);
        }
    }

    private static IEnumerable<KeyValuePair<string, long[]>> Norm(string prefix, long width) =>
        [new(prefix + ".weight", [width]), new(prefix + ".bias", [width])];
}
