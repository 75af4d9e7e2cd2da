using System.Text.Json.Serialization;
using ClipSae.Clip.Architecture;
using ClipSae.Contracts;
using ClipSae.FineTuning.Optimization;

namespace ClipSae.FineTuning.Settings;

/// <summary>
/// How one model is fine-tuned. Defaults are upstream's recipe for ViT-L/14 (science, section 5) without its defects (section 6).
/// </summary>
public sealed record FineTuningOptions
{
    /// <summary>What the SAE's knowledge is used for; see <c>TuningArm</c>, which judges what only one arm needs.</summary>
    public string Arm { get; init; } = "none";

    /// <summary>Order of batches, captions and random controls.</summary>
    public long Seed { get; init; }

    /// <summary>Optimizer steps; equal for all arms that are compared.</summary>
    public int Steps { get; init; } = 1000;

    /// <summary>Clean images in a forward (upstream: 32).</summary>
    public int CleanBatch { get; init; } = 32;

    /// <summary>Attack images in a forward (upstream: 12).</summary>
    public int AttackBatch { get; init; } = 12;

    /// <summary>
    /// Forwards a step. Their features are cached, so that every image of the step is a negative of every other (arXiv 2101.06983);
    /// upstream: 2.
    /// </summary>
    public int Accumulation { get; init; } = 2;

    /// <summary>Share of the steps, from the start, that see attacks (upstream: 8 of 20 epochs).</summary>
    public double AttackShare { get; init; } = 0.4;

    /// <summary>
    /// Attack images trained on at most, drawn anew for each seed, with no more for validation; 0 uses all. Tells what an arm is worth
    /// where attacks are few.
    /// </summary>
    public int AttackPool { get; init; }

    public OptimizerOptions Optimizer { get; init; } = new OptimizerOptions.AdaBelief();

    /// <summary>
    /// How moments are kept between steps: <c>float32</c>, the default, or <c>int8</c>, block-wise 8-bit quantisation (Dettmers et al.
    /// 2022, arXiv 2110.02861), which is published for Adam's: of the optimizers for <c>adamw</c>. A large model's take a quarter;
    /// embeddings and parameters of fewer than 4,096 numbers stay in float32.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public MomentPrecision Moments { get; init; }

    public LearningRateSchedule Schedule { get; init; } = new LearningRateSchedule.OneCycle();

    [JsonPropertyName("rates")]
    public GroupLearningRates LearningRates { get; init; } = new();

    /// <summary>
    /// What is trained in place of the weights, for small cards; null, the default, trains the weights themselves. Arms that train no
    /// weights take none.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public TuningAdapter? Adapter { get; init; }

    /// <summary>Largest norm of all gradients together, as they are.</summary>
    public double GradientClip { get; init; } = 1;

    /// <summary>CLIP's own loss, or upstream's for comparison.</summary>
    public TuningLoss Loss { get; init; }

    public double LabelSmoothing { get; init; }

    /// <summary>Factor on the salient neurons in the arm <c>amplify</c>.</summary>
    public double Amplification { get; init; } = 4;

    /// <summary>Factor on the salient neurons in the arm <c>suppress</c>.</summary>
    public double Suppression { get; init; } = 0.25;

    /// <summary>λ of the hinge in the arms <c>penalise</c> and <c>penalise-only</c>.</summary>
    public double PenaltyWeight { get; init; } = 0.3;

    /// <summary>How much more a salient feature may fire on the word than on its unreadable control before the hinge acts.</summary>
    public double PenaltyMargin { get; init; }

    /// <summary>
    /// What keeping the base's embeddings of clean pictures weighs in the arm <c>distil</c>, against 1 for bringing attacked pictures to
    /// theirs.
    /// </summary>
    public double DistilKeep { get; init; } = 1;

    /// <summary>Weight of the change of features in the arm <c>keep-features</c>.</summary>
    public double KeepWeight { get; init; } = 1;

    /// <summary>Weight of the change of what words without a picture are embedded as, in the arm <c>keep-reading</c>.</summary>
    public double ReadingWeight { get; init; } = 1;

    /// <summary>
    /// Standard deviations above the mean of all heads' typographic attention score, above which the arm <c>heads</c> tries to do without a
    /// head.
    /// </summary>
    public double HeadThreshold { get; init; } = 1;

    /// <summary>Clean validation accuracy that the arm <c>heads</c> may lose in all, a fraction (arXiv 2508.20570: 1 %).</summary>
    public double HeadCleanLoss { get; init; } = 0.01;

    /// <summary>
    /// Vision block from 0 before which the arm <c>null-token</c> appends its vector; null takes the middle one (of 24 blocks 12, the
    /// thirteenth).
    /// </summary>
    public int? NullTokenBlock { get; init; }

    /// <summary>
    /// Share of attacks, and of clean images that show a class and no print, kept for validation; no picture is on both sides, as an attack
    /// or clean.
    /// </summary>
    public double ValidationShare { get; init; } = 0.1;

    /// <summary>Images of each kind validated at most.</summary>
    public int ValidationImages { get; init; } = 512;

    /// <summary>Steps between validations; the last step always is one.</summary>
    public int ValidationInterval { get; init; } = 50;

    /// <summary>
    /// What a point of clean accuracy lost against the base costs, in points of attacked accuracy, when the best checkpoint is chosen.
    /// </summary>
    public double CleanLossCost { get; init; } = 5;

    /// <summary>
    /// What a point of reading lost against the base costs, in points of attacked accuracy, when the best checkpoint, mixture and arm are
    /// chosen. Reading is the accuracy on the print of held-out attacks without their pictures. 0 has it measured of the base and the
    /// result alone.
    /// </summary>
    public double ReadingCost { get; init; }

    /// <summary>
    /// Shares of the tuned weights, the rest the base's, that are tried when the training has ended (WiSE-FT, arXiv 2109.01903); one that
    /// scores higher on validation than the best checkpoint takes its place. Empty tries none. Each costs one validation.
    /// </summary>
    public IReadOnlyList<double> Alphas { get; init; } = [0.5, 0.75];

    /// <summary>Prompts for validation; {} is the class or word.</summary>
    public IReadOnlyList<string> PromptTemplates { get; init; } = ["a photo of a {}"];

    /// <summary>Steps between checkpoints that a killed training goes on from.</summary>
    public int CheckpointInterval { get; init; } = 100;

    /// <summary>
    /// Precision of the forward and backward pass; parameters and the loss are float32 in either, and so are moments
    /// (<see cref="Moments"/>). Default float32.
    /// </summary>
    public ComputePrecision Compute { get; init; }

    /// <summary>
    /// Whether blocks keep their input alone and are computed again in the backward pass: a fifth more time for most of the activations'
    /// memory.
    /// </summary>
    public bool Recompute { get; init; }

    /// <summary><c>cpu</c> or <c>cuda:N</c>.</summary>
    public string Device { get; init; } = "cpu";

    /// <exception cref="UserErrorException">A value is impossible; the message names it.</exception>
    public void Validate()
    {
        Require(Steps >= 1, "steps", "at least 1");
        Require(CleanBatch >= 2 && AttackBatch >= 1 && Accumulation >= 1, "cleanBatch, attackBatch, accumulation", "at least 2, 1 and 1");
        Require(AttackShare is > 0 and <= 1, "attackShare", "in (0, 1]");
        Require(AttackPool >= 0, "attackPool", "0 (all) or more");
        Require(
            LearningRates is { Vision: >= 0, Text: >= 0, TokenEmbedding: >= 0, Positions: >= 0, Projections: >= 0 }
                && LearningRates.Vision
                    + LearningRates.Text
                    + LearningRates.TokenEmbedding
                    + LearningRates.Positions
                    + LearningRates.Projections
                    > 0,
            "rates",
            "0 (frozen) or more, and not all 0"
        );
        Require(
            Adapter is null
                || (
                    Adapter is { Rank: >= 1 and <= LowRankAdapter.MaxRank, Alpha: > 0, LearningRate: > 0, Targets.Count: > 0 }
                    && !Adapter.Targets.Except(LowRankAdapter.Layers, StringComparer.Ordinal).Any()
                ),
            "adapter",
            $"of a rank from 1 to {LowRankAdapter.MaxRank}, of positive alpha and rate, on targets among {string.Join(", ", LowRankAdapter.Layers)}"
        );
        Require(
            Moments == MomentPrecision.Float32 || Optimizer is OptimizerOptions.AdamW,
            "moments",
            "float32 with this optimizer; int8 is for adamw (tuning.optimizer.kind=adamw)"
        );
        Require(GradientClip > 0 && LabelSmoothing is >= 0 and < 1, "gradientClip, labelSmoothing", "positive and in [0, 1)");
        Require(Amplification > 1 && Suppression is >= 0 and < 1, "amplification, suppression", "above 1 and in [0, 1)");
        Require(PenaltyWeight >= 0, "penaltyWeight", "0 or more");
        Require(DistilKeep >= 0 && KeepWeight >= 0 && ReadingWeight >= 0, "distilKeep, keepWeight, readingWeight", "0 or more");
        Require(
            double.IsFinite(HeadThreshold) && HeadCleanLoss is >= 0 and < 1,
            "headThreshold, headCleanLoss",
            "a number, and from 0 to below 1"
        );
        Require(
            NullTokenBlock is null or >= 0 && LearningRates.NullToken > 0,
            "nullTokenBlock, rates.nullToken",
            "a block from 0, and positive"
        );
        Require(CleanLossCost >= 0 && ReadingCost >= 0, "cleanLossCost, readingCost", "0 or more");
        Require(
            ValidationShare is > 0 and < 0.5 && ValidationInterval >= 1 && ValidationImages >= 1,
            "validationShare, validationInterval, validationImages",
            "in (0, 0.5) and at least 1"
        );
        Require(
            Alphas.All(alpha => alpha is > 0 and < 1) && Alphas.Distinct().Count() == Alphas.Count,
            "alphas",
            "between 0 and 1, each once; an empty list tries none"
        );
        Require(CheckpointInterval >= 1, "checkpointInterval", "at least 1");
    }

    internal static void Require(bool holds, string key, string rule)
    {
        if (!holds)
        {
            throw new UserErrorException($"tuning.{key}: must be {rule}");
        }
    }
}
