using ClipSae.Clip.Architecture;
using ClipSae.Clip.Model;
using ClipSae.FineTuning.Optimization;
using ClipSae.FineTuning.Settings;
using ClipSae.FineTuning.Training;
using ClipSae.Pipeline.Stages;
using ClipSae.TestKit.Files;
using TorchSharp;
using static TorchSharp.torch;

namespace ClipSae.FineTuning.Tests;

/// <summary>
/// A Long-CLIP has two positional embeddings, of which it uses rows below 20 of the first and the others of the second (science, section
/// 1).
/// </summary>
public sealed class LongClipTests : IDisposable
{
    private const int Context = 64;
    private const int KeptRows = 20;

    // More than 20 and fewer than 64 tokens of the small vocabulary.
    private const string LongCaption = "a photo of a cat and a photo of a dog and a photo of a tree and a photo of a cat";

    private readonly TuningSetup _setup = new();
    private readonly TemporaryFolder _folder = new();

    public void Dispose()
    {
        _setup.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Fine_tuning_moves_both_embeddings_and_only_the_rows_that_are_used(bool adaBelief)
    {
        var used = TuningSetup.Tokenizer.Encode(LongCaption, Context, out var truncated).Count(token => token != 0);
        truncated.ShouldBeFalse();
        used.ShouldBeInRange(KeptRows + 5, Context - 5);
        var options = new FineTuningOptions
        {
            Steps = 4,
            CleanBatch = 8,
            AttackBatch = 4,
            Accumulation = 1,
            AttackShare = 1,
            Optimizer = adaBelief ? new OptimizerOptions.AdaBelief { WeightDecay = 0.1 } : new OptimizerOptions.AdamW { WeightDecay = 0.1 },
            LearningRates = new GroupLearningRates
            {
                Vision = 1e-3,
                Text = 1e-3,
                TokenEmbedding = 1e-3,
                Positions = 1e-3,
                Projections = 1e-3,
            },
        };

        var (before, after) = await TrainAsync(options);

        Moved(before, after, ClipKeys.Positions).ShouldBe(Enumerable.Range(0, KeptRows));
        Moved(before, after, ClipKeys.StretchedPositions).ShouldBe(Enumerable.Range(KeptRows, used - KeptRows));
    }

    [Fact]
    public void Gradients_are_those_of_the_one_embedding_that_the_two_stand_for()
    {
        var tokens = tensor(TuningSetup.Tokenizer.Encode(LongCaption, Context, out _)).unsqueeze(0);
        using var two = ClipModel.FromStateDict(LongWeights());
        using var one = ClipModel.FromStateDict(two.PlainStateDict());
        (two.HasLongPositions, one.HasLongPositions).ShouldBe((true, false));

        foreach (var model in new[] { two, one })
        {
            model.EncodeText(tokens).square().sum().backward();
        }

        var expected = Gradient(one, ClipKeys.Positions);
        Gradient(two, ClipKeys.Positions)[..KeptRows].Equals(expected[..KeptRows]).ShouldBeTrue();
        Gradient(two, ClipKeys.StretchedPositions)[KeptRows..].Equals(expected[KeptRows..]).ShouldBeTrue();
        expected[KeptRows].abs().max().item<float>().ShouldBeGreaterThan(0);
    }

    private async Task<(IReadOnlyDictionary<string, Tensor> Before, IReadOnlyDictionary<string, Tensor> After)> TrainAsync(
        FineTuningOptions options
    )
    {
        var path = _folder.File("long.safetensors");
        using (var start = ClipModel.FromStateDict(LongWeights()))
        {
            start.Save(path);
        }

        using var model = ClipModel.Load(path);
        model.ToGeometric();
        using var data = _setup.Data(options, attackCaption: LongCaption);
        var tuner = new FineTuner(model, TuningSetup.Tokenizer, data, TuningSetup.Forward("none", options: options), options, CPU);
        var (best, _) = await tuner.TrainAsync(_folder.Path, NoCheckpoints.Instance, new Progress<StageProgress>(), CancellationToken.None);
        return (Weights(path), Weights(best));
    }

    private static IReadOnlyDictionary<string, Tensor> Weights(string path)
    {
        using var model = ClipModel.Load(path);
        return model.StateDict().ToDictionary(weight => weight.Key, weight => weight.Value.clone());
    }

    // The two differ everywhere, so that a row taken from the wrong one shows.
    private static Dictionary<string, Tensor> LongWeights()
    {
        using var model = ClipModel.Initialize(TuningSetup.Architecture with { ContextLength = Context }, 5);
        var weights = model.StateDict().ToDictionary(weight => weight.Key, weight => weight.Value.clone());
        using var generator = new Generator(9, CPU);
        weights[ClipKeys.StretchedPositions] = randn(weights[ClipKeys.Positions].shape, generator: generator).mul_(0.01f.ToScalar());
        return weights;
    }

    private static Tensor Gradient(ClipModel model, string key) => model.named_parameters().Single(p => p.name == key).parameter.grad!;

    private static IEnumerable<int> Moved(
        IReadOnlyDictionary<string, Tensor> before,
        IReadOnlyDictionary<string, Tensor> after,
        string key
    ) => Enumerable.Range(0, Context).Where(row => !before[key][row].Equals(after[key][row]));
}
