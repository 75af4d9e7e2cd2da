using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using ClipSae.Clip.Architecture;
using ClipSae.FineTuning.Optimization;
using ClipSae.Pipeline.Stages;
using ClipSae.Tensors;

namespace ClipSae.FineTuning.Settings;

/// <summary>
/// How one model is fine-tuned. Defaults are upstream's recipe for ViT-L/14 (science, section 5) without its defects (section 6).
/// </summary>
public sealed record FineTuningOptions
{
    /// <summary>
    /// What the SAE's knowledge is used for; see <c>TuningArm</c>, which judges what only one arm needs. Default <c>none</c>.
    /// </summary>
    public string Arm { get; init; } = "none";

    /// <summary>Order of batches, captions and random controls. Default 0.</summary>
    public long Seed { get; init; }

    /// <summary>Optimizer steps; equal for all arms that are compared. Default 1,000.</summary>
    [Range(1, double.PositiveInfinity)]
    public int Steps { get; init; } = 1000;

    /// <summary>Clean images in a forward (upstream: 32). Default 32.</summary>
    [Range(2, double.PositiveInfinity)]
    public int CleanBatch { get; init; } = 32;

    /// <summary>Attack images in a forward (upstream: 12). Default 12.</summary>
    [Range(1, double.PositiveInfinity)]
    public int AttackBatch { get; init; } = 12;

    /// <summary>
    /// Forwards a step. Their features are cached, so that every image of the step is a negative of every other (arXiv 2101.06983);
    /// upstream: 2. Default 2.
    /// </summary>
    [Range(1, double.PositiveInfinity)]
    public int Accumulation { get; init; } = 2;

    /// <summary>Share of the steps, from the start, that see attacks (upstream: 8 of 20 epochs). Default 0.4.</summary>
    [Range(0, 1, MinimumIsExclusive = true)]
    public double AttackShare { get; init; } = 0.4;

    /// <summary>
    /// Attack images trained on at most, drawn again for each seed, with no more for validation; 0 uses all. Says what an arm is worth
    /// where attacks are few. Default 0.
    /// </summary>
    [Range(0, double.PositiveInfinity)]
    public int AttackPool { get; init; }

    /// <summary>How weights are updated. Default <c>adabelief</c>.</summary>
    public OptimizerOptions Optimizer { get; init; } = new OptimizerOptions.AdaBelief();

    /// <summary>
    /// How moments are kept between steps: <c>float32</c>, the default, or <c>int8</c>, block-wise 8-bit quantisation (Dettmers et al.
    /// 2022, arXiv 2110.02861), which is published for Adam's: of the optimizers for <c>adamw</c>. A large model's take a quarter;
    /// embeddings and parameters of fewer than 4,096 numbers stay in float32.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    [AllowedValues(Precision.Float32, Precision.Int8)]
    public Precision Moments { get; init; }

    /// <summary>The course of the learning rate over the steps. Default <c>one-cycle</c>.</summary>
    public LearningRateSchedule Schedule { get; init; } = new LearningRateSchedule.OneCycle();

    /// <summary>Learning rate of each part of the model. Default those of <see cref="GroupLearningRates"/>.</summary>
    public GroupLearningRates LearningRates { get; init; } = new();

    /// <summary>
    /// What is trained in place of the weights, for small cards; null, the default, trains the weights themselves. Arms that train no
    /// weights take none.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public TuningAdapter? Adapter { get; init; }

    /// <summary>Largest norm of all gradients together, as they are. Default 1.</summary>
    [Range(0, double.PositiveInfinity, MinimumIsExclusive = true)]
    public double GradientClip { get; init; } = 1;

    /// <summary>CLIP's own loss, or upstream's for comparison. Default <c>symmetric</c>.</summary>
    public TuningLoss Loss { get; init; }

    /// <summary>Share of the contrastive target that is spread over all captions. Default 0.</summary>
    [Range(0, 1, MaximumIsExclusive = true)]
    public double LabelSmoothing { get; init; }

    /// <summary>Factor on the salient neurons in the arm <c>amplify</c>. Default 4.</summary>
    [Range(1, double.PositiveInfinity, MinimumIsExclusive = true)]
    public double Amplification { get; init; } = 4;

    /// <summary>Factor on the salient neurons in the arm <c>suppress</c>. Default 0.25.</summary>
    [Range(0, 1, MaximumIsExclusive = true)]
    public double Suppression { get; init; } = 0.25;

    /// <summary>λ of the hinge in the arms <c>penalise</c> and <c>penalise-only</c>. Default 0.3.</summary>
    [Range(0, double.PositiveInfinity)]
    public double PenaltyWeight { get; init; } = 0.3;

    /// <summary>
    /// How much more a salient feature may fire on the word than on its unreadable control before the hinge acts. Default 0.
    /// </summary>
    public double PenaltyMargin { get; init; }

    /// <summary>
    /// What keeping the base's embeddings of clean pictures weighs in the arm <c>distil</c>, against 1 for bringing attacked pictures to
    /// theirs. Default 1.
    /// </summary>
    [Range(0, double.PositiveInfinity)]
    public double DistilKeep { get; init; } = 1;

    /// <summary>Weight of the change of features in the arm <c>keep-features</c>. Default 1.</summary>
    [Range(0, double.PositiveInfinity)]
    public double KeepWeight { get; init; } = 1;

    /// <summary>Weight of the change of what words without a picture are embedded as, in the arm <c>keep-reading</c>. Default 1.</summary>
    [Range(0, double.PositiveInfinity)]
    public double ReadingWeight { get; init; } = 1;

    /// <summary>
    /// Standard deviations above the mean of all heads' typographic attention score, above which the arm <c>heads</c> tries to do without a
    /// head. Default 1.
    /// </summary>
    [Range(double.MinValue, double.MaxValue)]
    public double HeadThreshold { get; init; } = 1;

    /// <summary>
    /// Clean validation accuracy that the arm <c>heads</c> may lose in all, a fraction (arXiv 2508.20570: 1 %). Default 0.01.
    /// </summary>
    [Range(0, 1, MaximumIsExclusive = true)]
    public double HeadCleanLoss { get; init; } = 0.01;

    /// <summary>
    /// Vision block from 0 before which the arm <c>null-token</c> appends its vector; null takes the middle one (of 24 blocks 12, the
    /// thirteenth).
    /// </summary>
    [Range(0, double.PositiveInfinity)]
    public int? NullTokenBlock { get; init; }

    /// <summary>
    /// Share of attacks, and of clean images that show a class and no print, kept for validation; no picture is on both sides, as an attack
    /// or clean. Default 0.1.
    /// </summary>
    [Range(0, 0.5, MinimumIsExclusive = true, MaximumIsExclusive = true)]
    public double ValidationShare { get; init; } = 0.1;

    /// <summary>Images of each kind validated at most. Default 512.</summary>
    [Range(1, double.PositiveInfinity)]
    public int ValidationImages { get; init; } = 512;

    /// <summary>Steps between validations; the last step always is one. Default 50.</summary>
    [Range(1, double.PositiveInfinity)]
    public int ValidationInterval { get; init; } = 50;

    /// <summary>
    /// What a point of clean accuracy lost against the base costs, in points of attacked accuracy, when the best checkpoint is chosen.
    /// Default 5.
    /// </summary>
    [Range(0, double.PositiveInfinity)]
    public double CleanLossCost { get; init; } = 5;

    /// <summary>
    /// What a point of reading lost against the base costs, in points of attacked accuracy, when the best checkpoint, mixture and arm are
    /// chosen. Reading is the accuracy on the print of held-out attacks without their pictures. 0 has it measured of the base and the
    /// result alone. Default 0.
    /// </summary>
    [Range(0, double.PositiveInfinity)]
    public double ReadingCost { get; init; }

    /// <summary>
    /// Shares of the tuned weights, the rest the base's, that are tried when the training has ended (WiSE-FT, arXiv 2109.01903); one that
    /// scores higher on validation than the best checkpoint takes its place. Empty tries none. Each costs one validation. Default 0.5 and
    /// 0.75.
    /// </summary>
    public IReadOnlyList<double> Alphas { get; init; } = [0.5, 0.75];

    /// <summary>Prompts for validation; {} is the class or word. Default <c>a photo of a {}</c>.</summary>
    public IReadOnlyList<string> PromptTemplates { get; init; } = ["a photo of a {}"];

    /// <summary>Steps between checkpoints that a killed training continues from. Default 100.</summary>
    [Range(1, double.PositiveInfinity)]
    public int CheckpointInterval { get; init; } = 100;

    /// <summary>
    /// Precision of the forward and backward pass; parameters and the loss are float32 in either, and so are moments
    /// (<see cref="Moments"/>). Default float32.
    /// </summary>
    [AllowedValues(Precision.Float32, Precision.Bfloat16)]
    public Precision Compute { get; init; }

    /// <summary>
    /// Whether blocks keep their input alone and are computed again in the backward pass: a fifth more time for most of the activations'
    /// memory. Default false.
    /// </summary>
    public bool Recompute { get; init; }

    /// <summary><c>cpu</c> or <c>cuda:N</c>. Default <c>cpu</c>.</summary>
    public string Device { get; init; } = "cpu";

    /// <exception cref="UserErrorException">A value is impossible; the message names it.</exception>
    public void Validate()
    {
        ParameterRules.Require(this, "tuning");
        Require(
            LearningRates.Vision + LearningRates.Text + LearningRates.TokenEmbedding + LearningRates.Positions + LearningRates.Projections
                > 0,
            "learningRates",
            "above 0 for a part at least; 0 freezes one"
        );
        Require(
            Adapter is null
                || (
                    Adapter is { Rank: >= 1 and <= LowRankAdapter.MaxRank, Alpha: > 0, LearningRate: > 0, Targets.Count: > 0 }
                    && !Adapter.Targets.Except(LowRankAdapter.Layers, StringComparer.Ordinal).Any()
                ),
            "adapter",
            $"of a rank from 1 to {LowRankAdapter.MaxRank}, of positive alpha and rate, "
                + $"on targets among {string.Join(", ", LowRankAdapter.Layers)}"
        );
        Require(
            Moments == Precision.Float32 || Optimizer is OptimizerOptions.AdamW,
            "moments",
            "float32 with this optimizer; int8 is for adamw (tuning.optimizer.kind=adamw)"
        );
        Require(
            Alphas.All(alpha => alpha is > 0 and < 1) && Alphas.Distinct().Count() == Alphas.Count,
            "alphas",
            "between 0 and 1, each once; an empty list tries none"
        );
    }

    internal static void Require(bool holds, string key, string rule) =>
        UserErrorException.ThrowIf(!holds, $"tuning.{key}: must be {rule}");
}
