using ClipSae.FineTuning.Data;
using ClipSae.Tensors;
using static TorchSharp.torch;

namespace ClipSae.FineTuning.Arms;

public abstract partial record TuningArm
{
    /// <summary>
    /// Words without a picture behind them keep the base's embedding, so that what is unlearned is to prefer the word to the object, not to
    /// read it. Loss: weight · mean (1 − cos) between student and base over the attacks' print on grey (<see cref="PrintAlone"/>). In
    /// addition to the attack captions when alone.
    /// </summary>
    public sealed record KeepReading() : TuningArm("keep-reading", false)
    {
        public override string WeightRule => AnyWeight;

        public override bool HasControl => false;

        public override bool NeedsBase => true;

        public override bool NeedsPrint => true;

        internal override Tensor? Loss(ArmPass pass) =>
            pass.Attacks == 0
                ? null
                : (Distance(pass.EncodePrint(), pass.BasePrint()) * pass.HasSource).mean().Times(Weight ?? pass.Options.ReadingWeight);
    }
}
