using ClipSae.FineTuning.Heads;

namespace ClipSae.FineTuning.Arms;

public abstract partial record TuningArm
{
    /// <summary>
    /// Attention heads that look at print are taken out of the weights (<see cref="HeadAblation"/>), and nothing is trained. With other
    /// arms, these continue from the weights without the heads.
    /// </summary>
    public sealed record Heads(bool Random) : TuningArm("heads", Random)
    {
        public override bool AblatesHeads => true;

        public override bool IsTrained => false;

        public override bool UsesCaptions => false;
    }
}
