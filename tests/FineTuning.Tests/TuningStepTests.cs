using ClipSae.Clip.Cuda;
using ClipSae.FineTuning.Arms;
using ClipSae.FineTuning.Data;
using ClipSae.FineTuning.Optimization;
using ClipSae.FineTuning.Settings;
using ClipSae.FineTuning.Training;
using ClipSae.FineTuning.Validation;
using ClipSae.Sae.Encoding;
using ClipSae.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace ClipSae.FineTuning.Tests;

public sealed class TuningStepTests : IDisposable
{
    private static readonly FineTuningOptions OneForward = new()
    {
        CleanBatch = 16,
        AttackBatch = 8,
        Accumulation = 1,
        LabelSmoothing = 0.1,
    };
    private static readonly FineTuningOptions FourForwards = OneForward with { CleanBatch = 4, AttackBatch = 2, Accumulation = 4 };

    private readonly DisposeScope _scope = NewDisposeScope();
    private readonly TuningSetup _setup = new();
    private readonly SparseAutoencoder _autoencoder = TuningSetup.Autoencoder();

    public void Dispose()
    {
        _autoencoder.Dispose();
        _setup.Dispose();
        _scope.Dispose();
    }

    // GradCache (arXiv 2101.06983): exact, so only the order of sums differs.
    [Theory]
    [InlineData("none")]
    [InlineData("amplify")]
    [InlineData("suppress")]
    [InlineData("penalise")]
    [InlineData("penalise-only")]
    [InlineData("distil")]
    [InlineData("keep-features")]
    [InlineData("distil+keep-features")]
    [InlineData("keep-reading")]
    [InlineData("distil+keep-reading")]
    [InlineData("penalise+amplify+keep-features-random")]
    public void Accumulated_forwards_give_the_gradients_of_one_big_batch(string arm)
    {
        var whole = Gradients(arm, OneForward, out var one);
        var parts = Gradients(arm, FourForwards, out var four);

        ShouldAgree(parts, whole);
        four.Loss.item<float>().ShouldBe(one.Loss.item<float>(), 1e-5f);
        (four.Penalty is null).ShouldBe(one.Penalty is null);
        if (one.Penalty is not null)
        {
            one.Penalty.item<float>().ShouldBeGreaterThan(0);
            four.Penalty!.item<float>().ShouldBe(one.Penalty.item<float>(), 1e-6f);
        }
    }

    [Fact]
    public void Upstreams_loss_accumulates_too_and_leaves_the_scale_without_a_gradient()
    {
        var whole = Gradients("none", OneForward with { Loss = TuningLoss.Compat }, out _);
        var parts = Gradients("none", FourForwards with { Loss = TuningLoss.Compat }, out _);

        whole.ShouldNotContainKey("logit_scale");
        ShouldAgree(parts, whole);
        whole.Remove("visual.proj", out var projection).ShouldBeTrue();
        (projection! - Gradients("none", OneForward, out _)["visual.proj"]).abs().max().item<float>().ShouldBeGreaterThan(1e-3f);
    }

    [Fact]
    public void Every_parameter_gets_a_gradient()
    {
        var gradients = Gradients("none", OneForward, out _);

        using var model = TuningSetup.Model();
        gradients.Keys.ShouldBe(model.named_parameters().Select(p => p.name), ignoreOrder: true);
        gradients.Where(g => g.Value.abs().max().item<float>() == 0).Select(g => g.Key).ShouldBeEmpty();
    }

    [Fact]
    public void Scaling_acts_in_the_attack_half_alone()
    {
        var plain = Gradients("none", OneForward, out var none);
        var amplified = Gradients("amplify", OneForward, out var amplify);

        RelativeDifference(amplified, plain).ShouldBeGreaterThan(1e-2);
        Math.Abs(amplify.AttackLoss!.item<float>() - none.AttackLoss!.item<float>()).ShouldBeGreaterThan(1e-4f);
        // The clean images' losses rest on their own embeddings and the captions.
        amplify.CleanLoss!.item<float>().ShouldBe(none.CleanLoss!.item<float>(), 1e-5f);
    }

    [Fact]
    public void Without_attacks_an_arm_is_plain_fine_tuning()
    {
        var plain = Gradients("none", OneForward, out _, withAttacks: false);
        var amplified = Gradients("amplify", OneForward, out var losses, withAttacks: false);
        var penalised = Gradients("penalise", OneForward, out _, withAttacks: false);

        losses.AttackLoss.ShouldBeNull();
        RelativeDifference(amplified, plain).ShouldBe(0);
        RelativeDifference(penalised, plain).ShouldBe(0);
    }

    [Fact]
    public void Random_neurons_act_otherwise_than_salient_ones() =>
        RelativeDifference(Gradients("amplify-random", OneForward, out _), Gradients("amplify", OneForward, out _))
            .ShouldBeGreaterThan(1e-3);

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public void The_hinge_alone_never_uses_attack_captions(int accumulation)
    {
        var options = accumulation == 1 ? OneForward : FourForwards;
        const string Other = "a photo of another thing";

        RelativeDifference(
                Gradients("penalise-only", options, out var losses, attackCaption: Other),
                Gradients("penalise-only", options, out _)
            )
            .ShouldBe(0);
        losses.AttackLoss.ShouldBeNull();
        losses.Penalty!.item<float>().ShouldBeGreaterThan(0);
        RelativeDifference(Gradients("penalise", options, out _, attackCaption: Other), Gradients("penalise", options, out _))
            .ShouldBeGreaterThan(1e-3);
    }

    [Fact]
    public void The_hinge_adds_to_the_gradients_of_plain_fine_tuning() =>
        RelativeDifference(Gradients("penalise", OneForward, out _), Gradients("none", OneForward, out _)).ShouldBeGreaterThan(1e-3);

    // Upstream's rates freeze nothing; tuning one tower alone freezes all that the other has, and the positions and projections of both.
    [Theory]
    [InlineData("none", 1)]
    [InlineData("penalise", 1)]
    [InlineData("none", 4)]
    [InlineData("penalise", 4)]
    [InlineData("penalise-only", 4)]
    public void Frozen_parts_get_no_gradients_and_the_others_get_theirs(string arm, int accumulation)
    {
        var options = accumulation == 1 ? OneForward : FourForwards;
        var all = Gradients(arm, options, out _);
        var vision = Gradients(
            arm,
            options with
            {
                LearningRates = new GroupLearningRates
                {
                    Text = 0,
                    TokenEmbedding = 0,
                    Positions = 0,
                    Projections = 0,
                },
            },
            out _
        );
        var text = Gradients(
            arm,
            options with
            {
                LearningRates = new GroupLearningRates
                {
                    Vision = 0,
                    TokenEmbedding = 0,
                    Positions = 0,
                    Projections = 0,
                },
            },
            out _
        );

        vision.Keys.ShouldBe(all.Keys.Where(key => key.StartsWith("visual.transformer.", StringComparison.Ordinal)), ignoreOrder: true);
        text.Keys.ShouldBe(all.Keys.Where(key => key.StartsWith("transformer.", StringComparison.Ordinal)), ignoreOrder: true);
        ShouldAgree(vision, vision.ToDictionary(part => part.Key, part => all[part.Key]));
        ShouldAgree(text, text.ToDictionary(part => part.Key, part => all[part.Key]));
    }

    // The same products: only W = r·θ/‖θ‖ is made, and taken back, by formulas in place of autograd.
    [Theory]
    [InlineData("none", 1)]
    [InlineData("amplify", 1)]
    [InlineData("penalise", 1)]
    [InlineData("amplify", 4)]
    [InlineData("penalise-only", 4)]
    public void Weights_made_once_a_step_give_the_gradients_of_autograd(string arm, int accumulation)
    {
        var options = accumulation == 1 ? OneForward : FourForwards;
        var flat = Gradients(arm, options, out var losses, flat: true);
        var each = Gradients(arm, options, out var expected, flat: false);

        ShouldAgree(each.ToDictionary(part => part.Key, part => flat[part.Key]), each);
        flat.Keys.ShouldBe(each.Keys, ignoreOrder: true);
        losses.Loss.item<float>().ShouldBe(expected.Loss.item<float>(), 1e-5f);
    }

    [Theory]
    [InlineData("none", 1, false)]
    [InlineData("none", 1, true)]
    [InlineData("amplify", 1, true)]
    [InlineData("penalise", 1, false)]
    [InlineData("penalise", 1, true)]
    [InlineData("penalise-only", 4, true)]
    [InlineData("penalise", 4, false)]
    public void Recomputed_blocks_give_the_same_bits(string arm, int accumulation, bool flat)
    {
        var options = accumulation == 1 ? OneForward : FourForwards;
        var kept = Gradients(arm, options, out var expected, flat: flat);
        var recomputed = Gradients(arm, options with { Recompute = true }, out var losses, flat: flat);

        recomputed.Keys.ShouldBe(kept.Keys);
        kept.ShouldAllBe(part => part.Value.Equals(recomputed[part.Key]));
        losses.Loss.Equals(expected.Loss).ShouldBeTrue();
    }

    [Fact]
    public void Recomputation_reaches_blocks_behind_frozen_embeddings()
    {
        var options = OneForward with
        {
            LearningRates = new GroupLearningRates
            {
                Text = 0,
                TokenEmbedding = 0,
                Positions = 0,
                Projections = 0,
            },
        };
        var kept = Gradients("none", options, out _);
        var recomputed = Gradients("none", options with { Recompute = true }, out _);

        kept.Count.ShouldBeGreaterThan(0);
        recomputed.Keys.ShouldBe(kept.Keys);
        kept.ShouldAllBe(part => part.Value.Equals(recomputed[part.Key]));
    }

    // 8 significant bits through two blocks; the loss itself is float32.
    [Theory]
    [InlineData("none", 1)]
    [InlineData("amplify", 4)]
    [InlineData("penalise", 1)]
    public void Bfloat16_follows_float32(string arm, int accumulation)
    {
        var options = accumulation == 1 ? OneForward : FourForwards;
        var full = Gradients(arm, options, out var expected);
        var half = Gradients(arm, options with { Compute = Precision.Bfloat16 }, out var losses);

        half.Keys.ShouldBe(full.Keys, ignoreOrder: true);
        RelativeDifference(half, full).ShouldBeInRange(1e-4, 3e-2);
        losses.Loss.dtype.ShouldBe(ScalarType.Float32);
        losses.Loss.item<float>().ShouldBe(expected.Loss.item<float>(), 1e-2f);
    }

    [Theory]
    [InlineData("distil", 1)]
    [InlineData("distil", 4)]
    [InlineData("distil+keep-features", 1)]
    public void Distillation_uses_no_caption_and_leaves_the_text_tower_alone(string arm, int accumulation)
    {
        var options = accumulation == 1 ? OneForward : FourForwards;
        var gradients = Gradients(arm, options, out var losses);

        RelativeDifference(Gradients(arm, options, out _, attackCaption: "a photo of another thing"), gradients).ShouldBe(0);
        gradients.Keys.ShouldAllBe(key => key.StartsWith("visual.", StringComparison.Ordinal));
        (losses.CleanLoss, losses.AttackLoss).ShouldBe((null, null));
        losses.Loss.item<float>().ShouldBeGreaterThan(0);
        Gradients(arm, options, out _, withAttacks: false).Count.ShouldBe(gradients.Count);
    }

    private Dictionary<string, Tensor> Gradients(
        string arm,
        FineTuningOptions options,
        out StepLosses losses,
        bool withAttacks = true,
        string? attackCaption = null,
        bool? flat = null
    )
    {
        using var data = _setup.Data(options, attackCaption);
        using var captions = new CaptionTable(
            [.. data.Clean.Captions, .. data.Attacks.Captions],
            TuningSetup.Tokenizer,
            TuningSetup.Architecture.ContextLength
        );
        using var model = TuningSetup.Model();
        // The base is another model, as it is after some steps: against itself nothing has changed.
        using var other = TuningSetup.Model(6);
        using var basis = VisionPlan.Compile(other);
        ParameterGrouping.Freeze(model, options.LearningRates, visionAlone: !TuningArm.Parse(arm).UsesCaptions);
        ParameterGroup[] groups = [.. ParameterGrouping.ByPart(model, options.LearningRates, weightDecay: 0)];
        using var training = ParameterGrouping.Begin(model, groups, options.Compute, options.Recompute, flat);
        losses = new TuningStep(
            model,
            data,
            captions,
            TuningSetup.Forward(arm, _autoencoder, options, basis: basis),
            options,
            CPU
        ).Backward(1, withAttacks);
        return training.Weights is { } weights
            ? weights
                .Layout.Places.Where(weights.Layout.IsTrained)
                .ToDictionary(place => place.Name, place => place.Of(weights.Gradients).clone())
            : model.named_parameters().Where(p => p.parameter.grad is not null).ToDictionary(p => p.name, p => p.parameter.grad!.clone());
    }

    private static void ShouldAgree(Dictionary<string, Tensor> actual, Dictionary<string, Tensor> expected)
    {
        actual.Keys.ShouldBe(expected.Keys);
        foreach (var (name, gradient) in expected)
        {
            ((actual[name] - gradient).norm() / gradient.norm()).item<float>().ShouldBeLessThan(1e-4f, name);
        }
    }

    private static double RelativeDifference(Dictionary<string, Tensor> actual, Dictionary<string, Tensor> expected) =>
        Math.Sqrt(
            expected.Sum(e => (actual[e.Key] - e.Value).square().sum().item<float>())
                / expected.Sum(e => e.Value.square().sum().item<float>())
        );
}
