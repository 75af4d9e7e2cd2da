using ClipSae.Clip.Architecture;
using ClipSae.FineTuning.Heads;
using ClipSae.Tensors;
using static TorchSharp.torch;

namespace ClipSae.FineTuning.Arms;

public abstract partial record TuningArm
{
    /// <summary>
    /// A hinge at the heads that look at print in the later half of the blocks: what they write into the class token along the directions
    /// of the SAE's text-salient features (<see cref="TextDirections"/>) on the attacked image, against its unreadable twin: λ·mean
    /// ReLU(⟨d_f, h(word)⟩ − ⟨d_f, h(control)⟩ − margin) over attacks, heads and features. In addition to the attack captions. The control
    /// takes random heads and random features.
    /// </summary>
    public sealed record HingeHeads(bool Random) : TuningArm("hinge-heads", Random)
    {
        public override string WeightRule => AnyWeight;

        public override bool ReadsFeatures => true;

        public override bool ReadsHeads => true;

        public override bool NeedsControls => true;

        internal override void Arrange(ArmPass pass)
        {
            if (pass.Attacks > 0)
            {
                pass.CaptureHeads();
            }
        }

        internal override Tensor? Loss(ArmPass pass)
        {
            if (pass.Attacks == 0)
            {
                return null;
            }

            var controls = pass.HeadsOfControls();
            var excess = pass.Parts.Heads.Select(head =>
                Written(head, pass.OfAttacks(pass.Hooks.Captured(new HookPoint.Heads(head.Layer))))
                    .sub(Written(head, controls.Captured(new HookPoint.Heads(head.Layer))))
                    .Minus(pass.Options.PenaltyMargin)
                    .relu()
            );
            return stack([.. excess]).mean().Times(Weight ?? pass.Options.PenaltyWeight);
        }

        /// <param name="outputs">Outputs of a block's heads [batch, tokens, width].</param>
        /// <returns>[batch, features].</returns>
        private static Tensor Written(TextDirections.OfHead head, Tensor outputs)
        {
            var width = head.Rows.shape[1];
            return outputs.select(1, 0).narrow(1, head.Index * width, width).to(ScalarType.Float32).matmul(head.Rows.t());
        }
    }
}
