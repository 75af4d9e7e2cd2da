namespace ClipSae.FineTuning.Arms;

public abstract partial record TuningArm
{
    /// <summary>
    /// One learned vector joins the vision tower's tokens before a middle block (<see cref="Clip.Architecture.NullToken"/>), and
    /// nothing else is trained: the weights stay the base's. By itself it learns from the captions, of attacks too; with other arms,
    /// from what these ask for.
    /// </summary>
    public sealed record NullToken() : TuningArm("null-token", false)
    {
        public override bool HasControl => false;

        public override bool TrainsNullToken => true;
    }
}
