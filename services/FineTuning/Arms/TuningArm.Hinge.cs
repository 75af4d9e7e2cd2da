using ClipSae.Tensors;
using static TorchSharp.torch;

namespace ClipSae.FineTuning.Arms;

public abstract partial record TuningArm
{
    /// <summary>
    /// A hinge on the salient SAE features of the attacked image against its unreadable twin: λ·mean ReLU(z_f(word) − z_f(control) −
    /// margin).
    /// </summary>
    public abstract record Hinge : TuningArm
    {
        private protected Hinge(string kind, bool isRandom)
            : base(kind, isRandom) { }

        public override string WeightRule => AnyWeight;

        public override bool ReadsFeatures => true;

        public override bool NeedsControls => true;

        internal override void Arrange(ArmPass pass)
        {
            if (pass.Attacks > 0)
            {
                pass.CaptureFeatures();
            }
        }

        internal override Tensor? Loss(ArmPass pass)
        {
            if (pass.Attacks == 0)
            {
                return null;
            }

            var word = pass.Features(pass.OfAttacks(pass.Activations));
            var excess = (word - pass.ControlFeatures()).Minus(pass.Options.PenaltyMargin).relu();
            return excess.mean().Times(Weight ?? pass.Options.PenaltyWeight);
        }
    }

    /// <summary>The hinge in addition to the attack captions.</summary>
    public sealed record Penalise(bool Random) : Hinge("penalise", Random);

    /// <summary>The hinge alone: no attack image is ever captioned.</summary>
    public sealed record PenaliseOnly(bool Random) : Hinge("penalise-only", Random)
    {
        public override bool CaptionsAttacks => false;
    }
}
