using ClipSae.Clip.Model;
using ClipSae.FineTuning.Optimization;
using ClipSae.FineTuning.Settings;
using ClipSae.FineTuning.Training;
using ClipSae.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace ClipSae.FineTuning.Tests;

/// <summary>
/// The GPU's kernels against libtorch's own operations on the same card: gradients, moments, parameters and weights of several steps. They
/// run where there is a card.
/// </summary>
public sealed class TrainingKernelsTests : IDisposable
{
    private readonly DisposeScope _scope = NewDisposeScope();

    public void Dispose() => _scope.Dispose();

    [Theory]
    [InlineData("adamw", Precision.Float32)]
    [InlineData("adamw", Precision.Bfloat16)]
    [InlineData("adabelief", Precision.Float32)]
    [InlineData("adabelief", Precision.Bfloat16)]
    public void Steps_with_kernels_equal_those_without(string rule, Precision compute)
    {
        Assert.SkipUnless(cuda.is_available(), "needs an NVIDIA GPU and a libtorch for CUDA");
        OptimizerOptions options = rule == "adamw" ? new OptimizerOptions.AdamW() : new OptimizerOptions.AdaBelief(Epsilon: 1e-8);
        using var plain = new Trained(options, compute, withKernels: false);
        using var fused = new Trained(options, compute, withKernels: true);
        // AdaBelief's second moment counts from the sixth step on.
        for (var step = 0; step < 8; step++)
        {
            fused.TakeOver(plain);
            var expected = plain.Step(step);
            var actual = fused.Step(step);

            actual.Count.ShouldBe(expected.Count);
            foreach (var (name, value) in expected)
            {
                // A last bit of float32 that differs turns a bfloat16 that lies between two: from there on every activation rounds
                // differently.
                ((actual[name] - value).norm() / value.norm().AtLeast(1e-20))
                    .item<float>()
                    .ShouldBeLessThan(compute == Precision.Float32 ? 1e-5f : 1e-2f, $"{name}, step {step}");
            }
        }
    }

    private sealed class Trained : IDisposable
    {
        private readonly ClipModel _model = TuningSetup.Model();
        private readonly ClipTraining _training;
        private readonly Optimizer _optimizer;

        public Trained(OptimizerOptions options, Precision compute, bool withKernels)
        {
            _model.to(Compute.Device("cuda:0"));
            ParameterGroup[] groups =
            [
                .. ParameterGrouping.ByPart(
                    _model,
                    new GroupLearningRates
                    {
                        Vision = 1e-3,
                        Text = 2e-3,
                        Projections = 3e-3,
                        Positions = 1e-2,
                        TokenEmbedding = 1e-3,
                    },
                    0.1
                ),
            ];
            _training = ParameterGrouping.Begin(_model, groups, compute, recompute: false, withKernels: withKernels);
            _optimizer = new Optimizer(options, groups, _training.Weights);
            (_training.Weights!.Kernels is not null).ShouldBe(withKernels);
        }

        public void TakeOver(Trained other)
        {
            using var noGrad = no_grad();
            _training.Weights!.Values.copy_(other._training.Weights!.Values);
            _optimizer.State.Load(other._optimizer.State.Step, other._optimizer.State.ToTensors());
            _training.Refresh();
        }

        /// <summary>A step on noise.</summary>
        /// <returns>Gradients before it; parameters, moments and features after it.</returns>
        public Dictionary<string, Tensor> Step(int step)
        {
            var device = _model.LogitScale.device;
            var images = TuningSetup.Images(6, (ulong)step).to(device);
            var tokens = tensor(
                    TuningSetup
                        .Tokenizer.Encode("a photo of a cat", TuningSetup.Architecture.ContextLength, out _)
                        .Select(id => (long)id)
                        .ToArray()
                )
                .view(1, -1)
                .to(device);
            (_model.EncodeImage(images).sum() * _model.EncodeText(tokens).square().sum() * _model.LogitScale).backward();
            _training.CompleteBackward();
            var weights = _training.Weights!;
            var found = new Dictionary<string, Tensor> { ["gradients"] = weights.Gradients.clone() };
            _optimizer.Step(1, Gradients.ClipFactor(Gradients.Norm(_optimizer.Gradients), 0.5));
            _training.Refresh();
            using var noGrad = no_grad();
            weights.Gradients.abs().max().item<float>().ShouldBe(0);
            found["values"] = weights.Values.clone();
            found["features"] = _model.EncodeImage(images);
            foreach (var kind in new[] { ".first", ".second" })
            {
                found[kind] = cat([
                    .. _optimizer
                        .State.ToTensors()
                        .Where(moment => moment.Key.EndsWith(kind, StringComparison.Ordinal))
                        .Select(moment => moment.Value.reshape(-1)),
                ]);
            }

            return found;
        }

        public void Dispose()
        {
            _optimizer.Dispose();
            _training.Dispose();
            _model.Dispose();
        }
    }
}
