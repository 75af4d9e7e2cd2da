using ClipSae.Tensors;
using static TorchSharp.torch;

namespace ClipSae.FineTuning.Arms;

public abstract partial record TuningArm
{
    /// <summary>
    /// On clean pictures, change of the SAE's features against the base is penalised (SAE-FT, arXiv 2605.15961), of all but the
    /// text-salient ones, which are to change. Loss: weight · mean over images of Σ (z_f − z_f of the base)² / Σ (z_f of the base)². The
    /// control leaves as many random features free instead.
    /// </summary>
    public sealed record KeepFeatures(bool Random) : TuningArm("keep-features", Random)
    {
        public override string WeightRule => AnyWeight;

        public override bool ReadsFeatures => true;

        public override bool NeedsBase => true;

        internal override void Arrange(ArmPass pass)
        {
            if (pass.Clean > 0)
            {
                pass.CaptureFeatures();
            }
        }

        internal override Tensor? Loss(ArmPass pass)
        {
            if (pass.Clean == 0)
            {
                return null;
            }

            var before = pass.OtherFeatures(pass.BaseClean.Activations!);
            var now = pass.OtherFeatures(pass.OfClean(pass.Activations));
            // By image, so that a batch's parts average to the batch.
            return (Energy(now - before) / Energy(before).AtLeast(1e-12)).mean().Times(Weight ?? pass.Options.KeepWeight);
        }

        /// <returns>Sum of squares of each image's features, [images].</returns>
        private static Tensor Energy(Tensor features) => features.flatten(1).Squared().sum([1]);
    }
}
