using ClipSae.Contracts;
using ClipSae.Sae;
using ClipSae.Sae.Training;

namespace ClipSae.SaeTraining;

/// <summary>How the autoencoder of a hook point is trained. Defaults are those of arXiv 2406.04093 scaled to a laptop.</summary>
public sealed record SaeOptions
{
    /// <summary><c>topk</c> (encoder and decoder apart) or <c>topk-tied</c>.</summary>
    public string Variant { get; init; } = "topk";

    /// <summary>Active latents a row.</summary>
    public int K { get; init; } = 32;

    /// <summary>Latents for each dimension of the input; ignored where <see cref="Latents"/> is given.</summary>
    public int Expansion { get; init; } = 8;

    /// <summary>Latents; 0 takes the expansion.</summary>
    public int Latents { get; init; }

    /// <summary>Passes over the rows.</summary>
    public int Epochs { get; init; } = 8;

    /// <summary>Rows a step.</summary>
    public int BatchSize { get; init; } = 1024;

    /// <summary>Peak rate; null for 2e-4/√(latents/2¹⁴).</summary>
    public double? LearningRate { get; init; }

    /// <summary>α of the auxiliary loss.</summary>
    public double AuxAlpha { get; init; } = 1.0 / 32;

    /// <summary>Samples without firing after which a latent counts as dead; null scales the paper's 10 million down to a tenth of the samples seen.</summary>
    public long? DeadAfter { get; init; }

    /// <summary>Share of the images whose rows are never trained on and give the quality figures.</summary>
    public double HeldOutShare { get; init; } = 0.1;

    /// <summary>Images kept as a feature's strongest.</summary>
    public int TopImages { get; init; } = 8;

    /// <summary>Steps between checkpoints that a killed training goes on from.</summary>
    public int CheckpointInterval { get; init; } = 500;

    public long Seed { get; init; }

    /// <exception cref="UserErrorException">A value is impossible; the message names it.</exception>
    public void Validate()
    {
        if (SaeVariant.Parse(Variant, Math.Max(1, K)) is not SaeVariant.TopK)
        {
            throw new UserErrorException($"sae.variant = {Variant}: use topk or topk-tied");
        }

        Require(K >= 1, "k", "at least 1");
        Require(Latents >= 0 && Expansion >= 1, "latents, expansion", "0 or more and at least 1");
        Require(Epochs >= 1 && BatchSize >= 1, "epochs, batchSize", "at least 1");
        Require(HeldOutShare is > 0 and < 0.5, "heldOutShare", "in (0, 0.5)");
        Require(TopImages >= 0 && CheckpointInterval >= 1, "topImages, checkpointInterval", "0 or more and at least 1");
        Require(LearningRate is null or > 0, "learningRate", "positive");
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
            Steps = (int)Math.Max(1, Epochs * (rows / batch)),
            BatchSize = batch,
            Seed = Seed,
            AuxAlpha = AuxAlpha,
            DeadAfter = DeadAfter,
            LearningRate = LearningRate,
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
