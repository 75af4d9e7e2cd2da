using ClipSae.Clip.Architecture;
using ClipSae.FineTuning.Settings;
using ClipSae.Tensors;
using static TorchSharp.torch;

namespace ClipSae.FineTuning.Arms;

public abstract partial record TuningArm
{
    /// <summary>Salient neurons are multiplied by a factor in the attack forward alone.</summary>
    public abstract record Scaling : TuningArm
    {
        private protected Scaling(string kind, bool isRandom)
            : base(kind, isRandom) { }

        public override bool ScalesNeurons => true;

        /// <summary>The factor.</summary>
        private protected abstract double Factor(FineTuningOptions options);

        internal override void Arrange(ArmPass pass)
        {
            if (pass.Attacks == 0)
            {
                return;
            }

            var factor = Factor(pass.Options);
            foreach (var (layer, neurons) in pass.Parts.Neurons)
            {
                var indices = tensor(neurons.Select(n => (long)n).ToArray(), device: pass.Images.device);
                pass.Hooks.Replace(new HookPoint.Mlp(layer), value => Scaled(value, pass.Clean, indices, factor));
            }
        }

        /// <param name="value">[batch, tokens, neurons].</param>
        private static Tensor Scaled(Tensor value, long clean, Tensor neurons, double factor)
        {
            var factors = ones([value.shape[0], 1, value.shape[2]], dtype: value.dtype, device: value.device);
            factors.narrow(0, clean, value.shape[0] - clean).FillInPlace(2, neurons, factor);
            return value * factors;
        }
    }

    /// <summary>By a factor above 1, so that the update must overcome a louder word.</summary>
    public sealed record Amplify(bool Random) : Scaling("amplify", Random)
    {
        public override string WeightRule => "a factor above 1";

        private protected override bool Takes(double weight) => weight > 1;

        private protected override double Factor(FineTuningOptions options) => Weight ?? options.Amplification;
    }

    /// <summary>By a factor below 1.</summary>
    public sealed record Suppress(bool Random) : Scaling("suppress", Random)
    {
        public override string WeightRule => "a factor from 0 to below 1";

        private protected override bool Takes(double weight) => weight is >= 0 and < 1;

        private protected override double Factor(FineTuningOptions options) => Weight ?? options.Suppression;
    }
}
