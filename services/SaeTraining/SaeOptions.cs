using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using ClipSae.Pipeline.Stages;
using ClipSae.Sae;
using ClipSae.Sae.Steps;

namespace ClipSae.SaeTraining;

/// <summary>
/// How the autoencoder of a hook point is trained. Where no other source is named, defaults are those of arXiv 2406.04093.
/// </summary>
public sealed record SaeOptions
{
    /// <summary>
    /// <c>topk</c> (encoder and decoder apart), <c>topk-tied</c>, <c>batch-topk</c> or <c>matryoshka</c>. Default <c>topk</c>.
    /// </summary>
    public string Variant { get; init; } = "topk";

    /// <summary>
    /// Active latents a row. Default 32, within the paper's 16 to 512 and small enough for a small model's features to be read one by one.
    /// </summary>
    [Range(1, double.PositiveInfinity)]
    public int K { get; init; } = 32;

    /// <summary>
    /// Latents for each dimension of the input; ignored where <see cref="Latents"/> is given. Default 8, as common for CLIP (ViT-Prisma
    /// takes 8 to 64).
    /// </summary>
    [Range(1, double.PositiveInfinity)]
    public int Expansion { get; init; } = 8;

    /// <summary>Latents; 0 takes the expansion. Default 0.</summary>
    [Range(0, double.PositiveInfinity)]
    public int Latents { get; init; }

    /// <summary>Passes over the rows. Default 8: small sets are seen several times, where the paper sees each token once.</summary>
    [Range(1, double.PositiveInfinity)]
    public int Epochs { get; init; } = 8;

    /// <summary>Optimizer steps; 0 takes the epochs. Default 0.</summary>
    [Range(0, double.PositiveInfinity)]
    public int Steps { get; init; }

    /// <summary>
    /// Most steps that the epochs give, so that a large set takes no longer than is needed; 0, the default, sets no limit. Ignored where
    /// <see cref="Steps"/> is given.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    [Range(0, double.PositiveInfinity)]
    public int MaxSteps { get; init; }

    /// <summary>Rows a step. Default 1024, a laptop's; the paper takes 131,072 tokens of a set a hundred thousand times larger.</summary>
    [Range(1, double.PositiveInfinity)]
    public int BatchSize { get; init; } = 1024;

    /// <summary>Peak learning rate; null for 2e-4/√(latents/2¹⁴).</summary>
    [Range(0, double.PositiveInfinity, MinimumIsExclusive = true)]
    public double? LearningRate { get; init; }

    /// <summary>Share of the steps in which the learning rate rises. Default 0.05.</summary>
    [Range(0, 1, MaximumIsExclusive = true)]
    public double WarmUpShare { get; init; } = 0.05;

    /// <summary>Share of the steps, at the end, in which the learning rate falls linearly to zero. Default 0.2.</summary>
    [Range(0, 1)]
    public double DecayShare { get; init; } = 0.2;

    /// <summary>α of the auxiliary loss. Default 1/32.</summary>
    [Range(0, double.PositiveInfinity)]
    public double AuxAlpha { get; init; } = 1.0 / 32;

    /// <summary>Dead latents that reconstruct the residual; null for half the input's width, at most 512.</summary>
    [Range(1, double.PositiveInfinity)]
    public int? AuxK { get; init; }

    /// <summary>
    /// Samples without firing after which a latent counts as dead; null scales the paper's 10 million down to a tenth of the samples seen.
    /// </summary>
    [Range(1, double.PositiveInfinity)]
    public long? DeadAfter { get; init; }

    /// <summary>Share of the images whose rows are never trained on and give the quality metrics. Default 0.1.</summary>
    [Range(0, 0.5, MinimumIsExclusive = true, MaximumIsExclusive = true)]
    public double HeldOutShare { get; init; } = 0.1;

    /// <summary>Images kept as a feature's strongest. Default 8.</summary>
    [Range(0, double.PositiveInfinity)]
    public int TopImages { get; init; } = 8;

    /// <summary>Held-out pictures classified with and without the reconstruction in place; 0 leaves the check out. Default 512.</summary>
    [Range(0, double.PositiveInfinity)]
    public int ReconstructionImages { get; init; } = 512;

    /// <summary>Prompt of that check; {} is the class. Default <c>a photo of a {}</c>.</summary>
    public string PromptTemplate { get; init; } = "a photo of a {}";

    /// <summary>Steps between checkpoints that a killed training continues from. Default 500.</summary>
    [Range(1, double.PositiveInfinity)]
    public int CheckpointInterval { get; init; } = 500;

    /// <summary>Seed of the held-out images, the first dictionary and the order of the rows. Default 0.</summary>
    public long Seed { get; init; }

    /// <summary>
    /// <c>cpu</c> or <c>cuda:N</c>. Training and the check of the reconstruction compute there; the sparse kernels are the CPU's, a GPU
    /// trains by dense products. The other metrics of quality are always the CPU's. Default <c>cpu</c>.
    /// </summary>
    public string Device { get; init; } = "cpu";

    /// <exception cref="UserErrorException">A value is impossible; the message names it.</exception>
    public void Validate()
    {
        ParameterRules.Require(this, "sae");
        Require(
            SaeVariant.Names.Contains(Variant, StringComparer.Ordinal),
            "variant",
            $"one of {string.Join(", ", SaeVariant.Names)}, not {Variant}"
        );
        Require(PromptTemplate.Contains("{}", StringComparison.Ordinal), "promptTemplate", "a text with {} in the place of the class");
    }

    /// <summary>The trainer's options for rows of this width and number.</summary>
    /// <exception cref="UserErrorException">k is larger than the dictionary.</exception>
    public SaeTrainingOptions For(int width, long rows)
    {
        var latents = Latents > 0 ? Latents : Expansion * width;
        Require(K <= latents, "k", $"at most the {latents} latents");
        var batch = (int)Math.Min(BatchSize, rows);
        return new SaeTrainingOptions
        {
            Variant = SaeVariant.Parse(Variant, K)!,
            Latents = latents,
            Steps = Steps > 0 ? Steps : (int)Math.Clamp(Epochs * (rows / batch), 1, MaxSteps > 0 ? MaxSteps : int.MaxValue),
            BatchSize = batch,
            Seed = Seed,
            LearningRate = LearningRate,
            WarmUpShare = WarmUpShare,
            DecayShare = DecayShare,
            AuxAlpha = AuxAlpha,
            AuxK = AuxK,
            DeadAfter = DeadAfter,
        };
    }

    private static void Require(bool holds, string key, string rule) => UserErrorException.ThrowIf(!holds, $"sae.{key}: must be {rule}");
}
