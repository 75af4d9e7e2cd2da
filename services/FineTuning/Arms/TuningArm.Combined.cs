using ClipSae.Tensors;
using static TorchSharp.torch;

namespace ClipSae.FineTuning.Arms;

public abstract partial record TuningArm
{
    /// <summary>
    /// Several arms at once: what each does to the forward pass is done, and their losses are added. Captions are used where every part
    /// uses them.
    /// </summary>
    public sealed record Combined : TuningArm
    {
        /// <summary>Between the names of the parts.</summary>
        public const char Sign = '+';

        private Combined(IReadOnlyList<TuningArm> parts)
            : base(string.Join(Sign, parts.Select(part => part.WeightedKind)), parts.Any(part => part.IsRandom)) => Parts = parts;

        /// <summary>The arms, in the order in which they were named.</summary>
        public IReadOnlyList<TuningArm> Parts { get; }

        public override bool IsTrained => Trained.Any();

        public override bool AblatesHeads => Parts.Any(part => part.AblatesHeads);

        public override bool TrainsNullToken => Parts.Any(part => part.TrainsNullToken);

        public override bool UsesCaptions => Trained.All(part => part.UsesCaptions);

        public override bool CaptionsAttacks => Trained.All(part => part.CaptionsAttacks);

        public override bool HasControl => Parts.Any(part => part.HasControl);

        public override bool ScalesNeurons => Parts.Any(part => part.ScalesNeurons);

        public override bool ReadsFeatures => Parts.Any(part => part.ReadsFeatures);

        public override bool ReadsHeads => Parts.Any(part => part.ReadsHeads);

        public override bool NeedsControls => Parts.Any(part => part.NeedsControls);

        public override bool NeedsBase => Parts.Any(part => part.NeedsBase);

        public override bool NeedsSources => Parts.Any(part => part.NeedsSources);

        public override bool NeedsPrint => Parts.Any(part => part.NeedsPrint);

        /// <exception cref="UserErrorException">An arm is named twice, adds nothing to the others, or two do contrary things.</exception>
        internal static Combined Of(IReadOnlyList<TuningArm> parts)
        {
            var combined = new Combined(parts);
            UserErrorException.ThrowIf(
                parts.Any(part => part is None),
                $"tuning.arms: '{combined.Name}' names none, which adds nothing to other arms; leave it out"
            );
            UserErrorException.ThrowIf(
                parts.Count(part => part is Scaling) > 1
                    || parts.Count(part => part is Hinge) > 1
                    || parts.Select(part => part.Kind).Distinct(StringComparer.Ordinal).Count() < parts.Count,
                $"tuning.arms: '{combined.Name}' combines arms that act on the same neurons or features in two ways; name one of them"
            );

            return combined;
        }

        // A null token learns from what the others ask for; alone, from captions.
        private IEnumerable<TuningArm> Trained =>
            Parts.Where(part => part.IsTrained && (part is not NullToken || Parts.Count(other => other.IsTrained) == 1));

        internal override void Arrange(ArmPass pass)
        {
            foreach (var part in Parts)
            {
                part.Arrange(pass);
            }
        }

        internal override Tensor? Loss(ArmPass pass) =>
            Parts
                .Select(part => part.Loss(pass))
                .OfType<Tensor>()
                .Aggregate((Tensor?)null, (sum, loss) => sum is null ? loss : sum.Plus(loss));

        public bool Equals(Combined? other) => other is not null && Name == other.Name;

        public override int GetHashCode() => StringComparer.Ordinal.GetHashCode(Name);
    }
}
