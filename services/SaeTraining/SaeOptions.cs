using System.Text.Json.Serialization;
using ClipSae.Contracts;
using ClipSae.Sae;
using ClipSae.Sae.Steps;

namespace ClipSae.SaeTraining;

/// <summary>
/// How the autoencoder of a hook point is trained. Where no other source is named, defaults are those of arXiv 2406.04093.
/// </summary>
public sealed record SaeOptions
{
    /// <summary><c>topk</c> (encoder and decoder apart), <c>topk-tied</c>, <c>batch-topk</c> or <c>matryoshka</c>.</summary>
    public string Variant { get; init; } = "topk";

    /// <summary>
    /// Active latents a row. Default 32, within the paper's 16 to 512 and small enough for a small model's features to be read one by one.
    /// </summary>
    public int K { get; init; } = 32;

    /// <summary>
    /// Latents for each dimension of the input; ignored where <see cref="Latents"/> is given. Default 8, as common for CLIP (ViT-Prisma
    /// takes 8 to 64).
    /// </summary>
    public int Expansion { get; init; } = 8;

    /// <summary>Latents; 0 takes the expansion.</summary>
    public int Latents { get; init; }

    /// <summary>Passes over the rows. Default 8: small sets are seen several times, where the paper sees each token once.</summary>
    public int Epochs { get; init; } = 8;

    /// <summary>Optimizer steps; 0 takes the epochs.</summary>
    public int Steps { get; init; }

    /// <summary>
    /// Most steps that the epochs give, so that a large set takes no longer than is needed; 0, the default, sets no limit. Ignored where
    /// <see cref="Steps"/> is given.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public int MaxSteps { get; init; }

    /// <summary>Rows a step. Default 1024, a laptop's; the paper takes 131,072 tokens of a set a hundred thousand times larger.</summary>
    public int BatchSize { get; init; } = 1024;

    /// <summary>Peak learning rate; null for 2e-4/√(latents/2¹⁴).</summary>
    public double? LearningRate { get; init; }

    /// <summary>Share of the steps in which the learning rate rises. Default 0.05.</summary>
    public double WarmUpShare { get; init; } = 0.05;

    /// <summary>Share of the steps, at the end, in which the learning rate falls linearly to zero. Default 0.2.</summary>
    public double DecayShare { get; init; } = 0.2;

    /// <summary>α of the auxiliary loss. Default 1/32.</summary>
    public double AuxAlpha { get; init; } = 1.0 / 32;

    /// <summary>Dead latents that reconstruct the residual; null for half the input's width, at most 512.</summary>
    public int? AuxK { get; init; }

    /// <summary>
    /// Samples without firing after which a latent counts as dead; null scales the paper's 10 million down to a tenth of the samples seen.
    /// </summary>
    public long? DeadAfter { get; init; }

    /// <summary>Share of the images whose rows are never trained on and give the quality metrics. Default 0.1.</summary>
    public double HeldOutShare { get; init; } = 0.1;

    /// <summary>Images kept as a feature's strongest. Default 8.</summary>
    public int TopImages { get; init; } = 8;

    /// <summary>Held-out pictures classified with and without the reconstruction in place; 0 leaves the check out. Default 512.</summary>
    public int ReconstructionImages { get; init; } = 512;

    /// <summary>Prompt of that check; {} is the class.</summary>
    public string Prompt { get; init; } = "a photo of a {}";

    /// <summary>Steps between checkpoints that a killed training goes on from. Default 500.</summary>
    public int CheckpointInterval { get; init; } = 500;

    /// <summary>Seed of the held-out images, the first dictionary and the order of the rows.</summary>
    public long Seed { get; init; }

    /// <summary>
    /// <c>cpu</c> or <c>cuda:N</c>. Training and the check of the reconstruction compute there; the sparse kernels are the CPU's, a GPU
    /// trains by dense products. The other metrics of quality are always the CPU's.
    /// </summary>
    public string Device { get; init; } = "cpu";

    /// <exception cref="UserErrorException">A value is impossible; the message names it.</exception>
    public void Validate()
    {
        Require(
            SaeVariant.Names.Contains(Variant, StringComparer.Ordinal),
            "variant",
            $"one of {string.Join(", ", SaeVariant.Names)}, not {Variant}"
        );
        Require(K >= 1, "k", "at least 1");
        Require(Latents >= 0, "latents", "0 or more");
        Require(Expansion >= 1, "expansion", "at least 1");
        Require(Epochs >= 1, "epochs", "at least 1");
        Require(MaxSteps >= 0, "maxSteps", "0 (no limit) or more");
        Require(Steps >= 0, "steps", "0 or more");
        Require(BatchSize >= 1, "batchSize", "at least 1");
        Require(LearningRate is null or > 0, "learningRate", "positive");
        Require(WarmUpShare is >= 0 and < 1, "warmUpShare", "in [0, 1)");
        Require(DecayShare is >= 0 and <= 1, "decayShare", "in [0, 1]");
        Require(AuxAlpha >= 0, "auxAlpha", "0 or more");
        Require(AuxK is null or >= 1, "auxK", "at least 1");
        Require(DeadAfter is null or >= 1, "deadAfter", "at least 1");
        Require(HeldOutShare is > 0 and < 0.5, "heldOutShare", "in (0, 0.5)");
        Require(TopImages >= 0, "topImages", "0 or more");
        Require(ReconstructionImages >= 0, "reconstructionImages", "0 or more");
        Require(Prompt.Contains("{}", StringComparison.Ordinal), "prompt", "a text with {} in the place of the class");
        Require(CheckpointInterval >= 1, "checkpointInterval", "at least 1");
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

    private static void Require(bool holds, string key, string rule)
    {
        if (!holds)
        {
            throw new UserErrorException($"sae.{key}: must be {rule}");
        }
    }
}
