using ClipSae.Clip.Architecture;
using ClipSae.Clip.Model;
using ClipSae.Clip.Preprocessing;
using ClipSae.FineTuning.Data;
using ClipSae.FineTuning.Heads;
using ClipSae.FineTuning.Settings;
using ClipSae.FineTuning.Validation;
using TorchSharp;
using static TorchSharp.torch;

namespace ClipSae.FineTuning.Tests;

public sealed class HeadAblationTests : IDisposable
{
    private static readonly FineTuningOptions Options = new()
    {
        CleanBatch = 8,
        ValidationShare = 0.25,
        HeadThreshold = -2,
        HeadCleanLoss = 0.99,
    };
    private static readonly TypographicHead[] Ranked =
    [
        new(0, 0, 0.1),
        new(0, 1, 0.5),
        new(1, 0, 0.2),
        new(1, 1, 0.6),
        new(1, 2, 0.7),
        new(2, 0, 0.1),
    ];

    private readonly DisposeScope _scope = NewDisposeScope();
    private readonly TuningSetup _setup = new();
    private readonly ClipModel _model = TuningSetup.Model();

    public void Dispose()
    {
        _model.Dispose();
        _setup.Dispose();
        _scope.Dispose();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void Folded_weights_give_the_embeddings_of_the_model_whose_head_gives_its_mean(int layer)
    {
        using var noGrad = no_grad();
        using var model = ClipModel.Initialize(TuningSetup.Architecture with { VisionWidth = 128 }, 7);
        using var data = _setup.Data(Options);
        using var means = HeadMeans.Of(model, data, CPU, CancellationToken.None);
        var images = TuningSetup.Images(3, 1);
        var mean = means.OfLayers[layer].narrow(0, 64, 64);
        var hooks = new Hooks().Replace(new HookPoint.Heads(layer), heads =>
            cat([heads.narrow(-1, 0, 64), mean.expand(heads.shape[0], heads.shape[1], 64)], -1)
        );
        var (before, ablated) = (model.EncodeImage(images), model.EncodeImage(images, hooks));

        var restore = HeadMeans.Kept(new TypographicHead(layer, 1, 0), model);
        means.Fold(new TypographicHead(layer, 1, 0), model);
        var folded = model.EncodeImage(images);
        restore();

        (folded - ablated).abs().max().item<float>().ShouldBe(0, 1e-5f);
        (folded - before).abs().max().item<float>().ShouldBeGreaterThan(1e-3f);
        model.EncodeImage(images).Equals(before).ShouldBeTrue();
    }

    [Fact]
    public void Means_are_those_of_the_class_token_over_clean_pictures()
    {
        using var noGrad = no_grad();
        using var data = _setup.Data(Options);
        using var means = HeadMeans.Of(_model, data, CPU, CancellationToken.None);
        var hooks = new Hooks().Capture(new HookPoint.Heads(1));
        _model.EncodeImage(data.Clean.Images([.. Enumerable.Range(0, data.Clean.Count)], PixelNormalization.OpenAi, CPU), hooks);

        (hooks.Captured(new HookPoint.Heads(1)).select(1, 0).mean([0]) - means.OfLayers[1]).abs().max().item<float>().ShouldBe(0, 1e-5f);
    }

    // The setup's attacks differ from their pictures everywhere: all patches bear print, and what is left is what the class token sees of
    // itself.
    [Fact]
    public void A_heads_score_is_the_class_tokens_mean_attention_to_print()
    {
        using var noGrad = no_grad();
        using var data = _setup.Data(Options);
        int[] printed = [.. Enumerable.Range(0, data.Attacks.Count).Where(i => data.AttackSources[i] >= 0)];
        var attention = ClassAttention.Of(_model, data.Attacks.Images(printed, PixelNormalization.OpenAi, CPU));

        var scores = TypographicHeads.Score(_model, data, CPU, CancellationToken.None);

        printed.Length.ShouldBeLessThan(data.Attacks.Count);
        scores.Select(head => (head.Layer, head.Index)).ShouldBe([(0, 0), (1, 0)]);
        scores.ShouldAllBe(head =>
            Math.Abs(head.Score - (1 - attention[head.Layer, TensorIndex.Colon, head.Index, 0].mean().item<float>())) < 1e-5
        );
    }

    [Fact]
    public void Heads_above_the_threshold_come_late_layers_first()
    {
        // Mean .367, deviation .248.
        TypographicHeads.Above(Ranked, 0.9).Select(head => (head.Layer, head.Index)).ShouldBe([(1, 2), (1, 1)]);
        TypographicHeads.Above(Ranked, 0).Select(head => (head.Layer, head.Index)).ShouldBe([(1, 2), (1, 1), (0, 1)]);
    }

    [Fact]
    public void A_control_takes_as_many_others_of_the_same_layers_while_there_are_any()
    {
        TypographicHead[] chosen = [Ranked[4], Ranked[1]];
        var twins = TypographicHeads.Twins(Ranked, chosen, 1);
        twins.Select(head => head.Layer).ShouldBe([1, 0]);
        twins.Intersect(chosen).ShouldBeEmpty();
        TypographicHeads.Twins(Ranked, chosen, 1).ShouldBe(twins);

        Should
            .Throw<Contracts.UserErrorException>(() => TypographicHeads.Twins(Ranked, Ranked, 1))
            .Message.ShouldContain("none is left for the random control");

        // Two of layer 1 are chosen and one is left there; the other comes from another layer.
        TypographicHeads.Twins(Ranked, [Ranked[4], Ranked[3]], 1).Count(head => head.Layer == 1).ShouldBe(1);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Nothing_is_left_changed_by_the_search(bool random)
    {
        using var data = _setup.Data(Options);
        var before = _model.StateDict().ToDictionary(weight => weight.Key, weight => weight.Value.clone());
        using var ablation = HeadAblation.Find(
            _model,
            data,
            Validator(data),
            Options with
            {
                HeadThreshold = 0,
            },
            random,
            CPU,
            CancellationToken.None
        );

        ablation.Heads.Count.ShouldBe(1);
        _model.StateDict().ShouldAllBe(weight => weight.Value.Equals(before[weight.Key]));
        ablation.Heads[^1].Left.ShouldNotBeNull();
    }

    [Fact]
    public void A_head_that_clean_accuracy_needs_stays()
    {
        using var data = _setup.Data(Options);
        // No accuracy is above the base's by two.
        var strict = Options with { HeadCleanLoss = -2 };

        Should
            .Throw<Contracts.UserErrorException>(() =>
                HeadAblation.Find(_model, data, Validator(data), strict, random: false, CPU, CancellationToken.None)
            )
            .Message.ShouldContain("ablating any of them lowers clean accuracy too much");
    }

    private static Validator Validator(TuningData data) => new(data, TuningSetup.Tokenizer, Options, CPU);
}
