namespace ClipSae.FineTuning.Arms;

public abstract partial record TuningArm
{
    /// <summary>Attack images captioned with the truth, nothing scaled and nothing added.</summary>
    public sealed record None() : TuningArm("none", false)
    {
        public override bool HasControl => false;
    }
}
