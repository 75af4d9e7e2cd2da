using System.Text.Json.Serialization;
using ClipSae.FineTuning.Optimization;

namespace ClipSae.FineTuning.Pretraining;

/// <summary>
/// How a small CLIP is trained from scratch. The defaults made the demo's base: a ViT of OpenAI's own architecture small enough for two CPU
/// cores. They come from a measured prototype (batch, learning rate, decay, β, clipping, warm-up) and CLIP (arXiv 2103.00020, table 18).
/// </summary>
public sealed record PretrainingOptions
{
    /// <summary>Pixels a side; a multiple of <see cref="PatchSize"/>. Default 64.</summary>
    public int Resolution { get; init; } = 64;

    /// <summary>Pixels a side of a patch. Default 16.</summary>
    public int PatchSize { get; init; } = 16;

    /// <summary>Width of the vision tower; heads are 64 wide, as OpenAI's loader assumes. Default 128.</summary>
    public int VisionWidth { get; init; } = 128;

    /// <summary>Blocks of the vision tower. Default 4.</summary>
    public int VisionLayers { get; init; } = 4;

    /// <summary>Width of the text tower, heads 64 wide. Default 128.</summary>
    public int TextWidth { get; init; } = 128;

    /// <summary>Blocks of the text tower. Default 2.</summary>
    public int TextLayers { get; init; } = 2;

    /// <summary>Width of the embeddings. Default 64.</summary>
    public int EmbedDim { get; init; } = 64;

    /// <summary>Tokens of a caption, start and end included; longer ones are cut. Default 16.</summary>
    public int ContextLength { get; init; } = 16;

    /// <summary>
    /// Byte-pair merges learned from the captions; the vocabulary has 514 entries more (bytes, word-final bytes, start, end). Default 400.
    /// </summary>
    public int Merges { get; init; } = 400;

    /// <summary>Optimizer steps. Default 5,000.</summary>
    public int Steps { get; init; } = 5000;

    /// <summary>Pairs of image and caption a step. Default 128.</summary>
    public int BatchSize { get; init; } = 128;

    /// <summary>Peak learning rate, after the warm-up. Default 1.5e-3.</summary>
    public double LearningRate { get; init; } = 1.5e-3;

    /// <summary>Steps in which the learning rate rises to its peak. Default 100.</summary>
    [JsonPropertyName("warmupSteps")]
    public int WarmUpSteps { get; init; } = 100;

    /// <summary>Decoupled weight decay, on matrices alone. Default 0.1.</summary>
    public double WeightDecay { get; init; } = 0.1;

    /// <summary>Largest norm of all gradients together. Default 1.</summary>
    public double GradientClip { get; init; } = 1;

    /// <summary>Seed of every draw. Default 0.</summary>
    public long Seed { get; init; }

    /// <summary>How pictures are varied; null shows them as they are, which drawn worlds need.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ImageAugmentation? Variation { get; init; }

    /// <exception cref="UserErrorException">A value is impossible; the message names it.</exception>
    public PretrainingOptions Validated()
    {
        Require(
            PatchSize > 0 && Resolution > 0 && Resolution % PatchSize == 0,
            $"resolution {Resolution} must be a multiple of patch size {PatchSize}"
        );
        Require(
            VisionWidth % 64 == 0 && TextWidth % 64 == 0,
            $"widths {VisionWidth} and {TextWidth} must be multiples of 64 (one head is 64 wide)"
        );
        Require(VisionLayers > 0 && TextLayers > 0 && EmbedDim > 0, "layers and embed dim must be positive");
        Require(ContextLength >= 4, $"context length {ContextLength} must be at least 4");
        Require(Steps > 0 && BatchSize > 1, $"steps {Steps} must be positive and batch size {BatchSize} above 1");
        Require(
            LearningRate > 0 && GradientClip > 0 && WeightDecay >= 0,
            "learning rate and gradient clip must be positive, weight decay not negative"
        );
        Variation?.Validated();
        return this;
    }

    /// <summary>The update rule that these options describe.</summary>
    public OptimizerOptions Optimizer => new OptimizerOptions.AdamW { WeightDecay = WeightDecay };

    private static void Require(bool holds, string rule) => UserErrorException.ThrowIf(!holds, $"pretrain: {rule}");
}
