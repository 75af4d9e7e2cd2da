using ClipSae.FineTuning.Settings;
using ClipSae.Tensors;
using static TorchSharp.torch;

namespace ClipSae.FineTuning.Arms;

public abstract partial record TuningArm
{
    /// <summary>
    /// Self-distillation without labels or captions: the base sees the picture as it is, the student the same picture with a word printed
    /// on it, and their embeddings are brought together; on clean pictures the student keeps the base's. The text tower is left as it is.
    /// Loss: mean (1 − cos) over attacks + <see cref="FineTuningOptions.DistilKeep"/> · mean (1 − cos) over clean pictures.
    /// </summary>
    public sealed record Distil() : TuningArm("distil", false)
    {
        public override bool UsesCaptions => false;

        public override string WeightRule => AnyWeight;

        public override bool HasControl => false;

        public override bool NeedsBase => true;

        public override bool NeedsSources => true;

        internal override Tensor? Loss(ArmPass pass)
        {
            var clean =
                pass.Clean == 0
                    ? null
                    : Distance(pass.OfClean(pass.Embeddings), pass.BaseClean.Embeddings).mean().Times(Weight ?? pass.Options.DistilKeep);
            if (pass.Attacks == 0)
            {
                return clean;
            }

            // Pictures with print of their own have no picture without it to learn from; they count as learnt.
            var attacked = (Distance(pass.OfAttacks(pass.Embeddings), pass.BaseSources()) * pass.HasSource).mean();
            return clean is null ? attacked : clean.Plus(attacked);
        }
    }
}
