using System.Globalization;

namespace ClipSae.Clip.Architecture;

/// <summary>A place in one of the towers where activations can be captured, replaced or scaled. Layers count from 0.</summary>
public abstract record HookPoint
{
    /// <summary>The forms that <see cref="Parse"/> reads, as messages name them.</summary>
    public const string Forms = "image-embedding, cls@L, residual@L, mlp@L, text-embedding, text.residual@L or text.mlp@L";

    private HookPoint() { }

    /// <summary>The projected image features, not normalised: [batch, embed]. Written <c>image-embedding</c>.</summary>
    public sealed record ImageEmbedding : HookPoint
    {
        public override string ToString() => "image-embedding";
    }

    /// <summary>The class token of a block's output: [batch, width]. Written <c>cls@L</c>.</summary>
    public sealed record Cls(int Layer) : HookPoint
    {
        public override string ToString() => $"cls@{Layer}";
    }

    /// <summary>A block's output: [batch, tokens, width]. Written <c>residual@L</c>.</summary>
    public sealed record Residual(int Layer) : HookPoint
    {
        public override string ToString() => $"residual@{Layer}";
    }

    /// <summary>A block's MLP neurons after the activation: [batch, tokens, neurons]. Written <c>mlp@L</c>.</summary>
    public sealed record Mlp(int Layer) : HookPoint
    {
        public override string ToString() => $"mlp@{Layer}";
    }

    /// <summary>
    /// What a block's attention heads give before the output projection: [batch, tokens, width], a head in as many columns as it is wide,
    /// one behind the other. No autoencoder reads it, so it is none of the forms that <see cref="Parse"/> knows. Written <c>heads@L</c>.
    /// </summary>
    public sealed record Heads(int Layer) : HookPoint
    {
        public override string ToString() => $"heads@{Layer}";
    }

    /// <summary>The projected text features, not normalised: [batch, embed]. Written <c>text-embedding</c>.</summary>
    public sealed record TextEmbedding : HookPoint
    {
        public override string ToString() => "text-embedding";
    }

    /// <summary>The output of a block of the text tower: [batch, tokens, width]. Written <c>text.residual@L</c>.</summary>
    public sealed record TextResidual(int Layer) : HookPoint
    {
        public override string ToString() => $"text.residual@{Layer}";
    }

    /// <summary>
    /// The MLP neurons of a block of the text tower after the activation: [batch, tokens, neurons]. Written <c>text.mlp@L</c>.
    /// </summary>
    public sealed record TextMlp(int Layer) : HookPoint
    {
        public override string ToString() => $"text.mlp@{Layer}";
    }

    /// <summary>Whether the activations have a token axis.</summary>
    public bool HasTokens => this is Residual or Mlp or Heads or TextResidual or TextMlp;

    /// <summary>Whether it is in the text tower.</summary>
    public bool IsText => this is TextEmbedding or TextResidual or TextMlp;

    /// <summary>The block, or null for the embedding.</summary>
    public int? LayerIndex =>
        this switch
        {
            Cls point => point.Layer,
            Residual point => point.Layer,
            Mlp point => point.Layer,
            Heads point => point.Layer,
            TextResidual point => point.Layer,
            TextMlp point => point.Layer,
            _ => null,
        };

    /// <summary>Width of the activations in a model of the given sizes.</summary>
    public int Width(ClipArchitecture architecture) =>
        this switch
        {
            ImageEmbedding or TextEmbedding => architecture.EmbedDim,
            Mlp => architecture.VisionNeurons,
            TextMlp => architecture.TextNeurons,
            TextResidual => architecture.TextWidth,
            _ => architecture.VisionWidth,
        };

    /// <exception cref="UserErrorException">The model has no such layer, or no class token.</exception>
    public HookPoint CheckedFor(ClipArchitecture architecture)
    {
        UserErrorException.ThrowIf(
            this is Cls && !architecture.Family.HasClassToken,
            $"hook point '{this}': the vision tower of a {architecture.Family} has no class token; "
                + $"use residual@{LayerIndex}, mlp@{LayerIndex} or image-embedding"
        );

        var layers = IsText ? architecture.TextLayers : architecture.VisionLayers;
        return LayerIndex is not { } layer || layer < layers
            ? this
            : throw new UserErrorException(
                $"hook point '{this}': the model's {(IsText ? "text" : "vision")} tower has layers 0 to {layers - 1}"
            );
    }

    /// <summary>
    /// The hook point that the name of an autoencoder begins with: <c>mlp@0</c>, or in a sweep <c>mlp@0,variant=topk,k=16</c>.
    /// </summary>
    /// <exception cref="UserErrorException">The name begins with none.</exception>
    public static HookPoint OfAutoencoder(string name) => Parse(name.Split(',')[0]);

    /// <exception cref="UserErrorException">Not one of the <see cref="Forms"/>.</exception>
    public static HookPoint Parse(string text)
    {
        if (text == "image-embedding")
        {
            return new ImageEmbedding();
        }

        if (text == "text-embedding")
        {
            return new TextEmbedding();
        }

        if (
            text.Split('@') is [var kind, var number]
            && int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var layer)
        )
        {
            switch (kind)
            {
                case "cls":
                    return new Cls(layer);
                case "residual":
                    return new Residual(layer);
                case "mlp":
                    return new Mlp(layer);
                case "text.residual":
                    return new TextResidual(layer);
                case "text.mlp":
                    return new TextMlp(layer);
            }
        }

        throw new UserErrorException($"hook point '{text}' is not known; use {Forms} with a layer L from 0");
    }
}
