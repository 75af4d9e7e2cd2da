using ClipSae.Sae.Steps;
using ClipSae.Sae.Training;
using static TorchSharp.torch;

namespace ClipSae.Sae.Tests;

public sealed class TopKTrainerTests : IDisposable
{
    private readonly TorchSharp.DisposeScope _scope = NewDisposeScope();

    public void Dispose() => _scope.Dispose();

    [Theory]
    [InlineData("topk")]
    [InlineData("topk-tied")]
    [InlineData("batch-topk")]
    [InlineData("matryoshka")]
    public void Training_explains_planted_features(string variant)
    {
        var (rows, _) = PlantedFeatures.Draw(4096, 24, 48, 3, seed: 1);
        var options = Options(variant, steps: 300) with { LearningRate = 3e-3 };
        using var trainer = TopKTrainer.Start(new TensorRows(rows), options);

        while (!trainer.Done)
        {
            trainer.Advance();
        }

        using var sae = trainer.Export();
        // 48 directions in 24 dimensions, three active: chance explains nothing; a good dictionary of 64 explains most.
        var unexplained = ((sae.Reconstruct(rows) - rows).square().sum() / (rows - rows.mean([0])).square().sum()).item<float>();
        unexplained.ShouldBeLessThan(0.3f);
    }

    [Theory]
    [InlineData("topk")]
    [InlineData("topk-tied")]
    public void Resumed_training_equals_uninterrupted(string variant)
    {
        var (rows, _) = PlantedFeatures.Draw(1000, 24, 48, 3, seed: 1);
        var data = new TensorRows(rows);
        var options = Options(variant, steps: 40) with { DeadAfter = 1000 };

        using var whole = TopKTrainer.Start(data, options);
        Advance(whole, 40);
        using var half = TopKTrainer.Start(data, options);
        Advance(half, 17);
        var saved = half.State.Tensors.ToDictionary(pair => pair.Key, pair => pair.Value.clone());
        var normalization = new SaeNormalization(half.Normalization.Mean.clone(), half.Normalization.Scale);
        using var resumed = TopKTrainer.Resume(
            data,
            options,
            normalization,
            SaeTrainingState.Restore(saved, options.Variant.Tied, half.State.Step)
        );
        Advance(resumed, 23);

        foreach (var (name, tensor) in whole.State.Tensors)
        {
            resumed.State.Tensors[name].bytes.SequenceEqual(tensor.bytes).ShouldBeTrue(name);
        }
    }

    [Fact]
    public void Normalised_inputs_are_centred_and_of_mean_square_norm_d()
    {
        var (rows, _) = PlantedFeatures.Draw(500, 24, 48, 3, seed: 1);
        rows = rows * 7 + 3;
        using var normalization = SaeNormalization.Measure(new TensorRows(rows), chunk: 128);
        var x = normalization.Apply(rows);

        x.mean([0]).abs().max().item<float>().ShouldBeLessThan(1e-5f);
        (x.square().sum() / 500).item<float>().ShouldBe(24, 1e-3);
    }

    [Fact]
    public void Decoder_rows_keep_unit_length()
    {
        var (rows, _) = PlantedFeatures.Draw(512, 24, 48, 3, seed: 1);
        using var trainer = TopKTrainer.Start(new TensorRows(rows), Options("topk", steps: 10));
        Advance(trainer, 10);

        (trainer.State.Decoder.norm(1, false, 2) - 1).abs().max().item<float>().ShouldBeLessThan(1e-6f);
    }

    [Fact]
    public void Export_folds_centring_and_scale()
    {
        var (rows, _) = PlantedFeatures.Draw(512, 24, 48, 3, seed: 1);
        rows = rows * 7 + 3;
        using var trainer = TopKTrainer.Start(new TensorRows(rows), Options("topk", steps: 10));
        Advance(trainer, 10);
        using var sae = trainer.Export();

        // In the normalised space by hand: encode, decode, undo the normalisation.
        var state = trainer.State;
        var x = trainer.Normalization.Apply(rows);
        var pre = nn.functional.linear(x - state.PreBias, state.Encoder, state.EncoderBias).relu();
        var (values, indices) = pre.topk(3, 1);
        var latents = zeros_like(pre).scatter(1, indices, values);
        var expected = (latents.matmul(state.Decoder) + state.PreBias) / trainer.Normalization.Scale + trainer.Normalization.Mean;
        (sae.Reconstruct(rows) - expected).abs().max().item<float>().ShouldBeLessThan(1e-3f);
    }

    [Fact]
    public void Every_epoch_visits_every_row_once_in_another_order()
    {
        var order = new EpochOrder(1000, seed: 5);
        var first = Enumerable.Range(0, 1000).Select(i => order.RowAt(0, i)).ToArray();
        var second = Enumerable.Range(0, 1000).Select(i => order.RowAt(1, i)).ToArray();

        first.Order().ShouldBe(Enumerable.Range(0, 1000).Select(i => (long)i));
        second.Order().ShouldBe(first.Order());
        second.ShouldNotBe(first);
    }

    private static SaeTrainingOptions Options(string variant, int steps) =>
        new()
        {
            Variant = SaeVariant.Parse(variant, 3)!,
            Latents = 64,
            Steps = steps,
            BatchSize = 256,
            Seed = 7,
        };

    private static void Advance(TopKTrainer trainer, int steps)
    {
        for (var i = 0; i < steps; i++)
        {
            trainer.Advance();
        }
    }
}
