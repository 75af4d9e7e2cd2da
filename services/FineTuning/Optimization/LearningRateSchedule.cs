using System.Text.Json.Serialization;

namespace ClipSae.FineTuning.Optimization;

/// <summary>
/// The course of the learning rate over optimizer steps, as a factor on each group's own, so that no group is overridden.
/// </summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "kind")]
[JsonDerivedType(typeof(OneCycle), "one-cycle")]
[JsonDerivedType(typeof(Cosine), "cosine")]
public abstract record LearningRateSchedule
{
    private LearningRateSchedule() { }

    /// <summary>The factor at a step.</summary>
    /// <param name="step">From 0, counted in optimizer steps, never in micro-batches.</param>
    /// <param name="total">Optimizer steps of the whole training.</param>
    public abstract double FactorAt(long step, long total);

    /// <summary>
    /// One cycle (arXiv 1708.07120, cosine form): from peak/25 up to the peak during the warm-up, then down to peak/250,000.
    /// </summary>
    /// <param name="Peak">Highest factor; upstream's recipe goes to 3× each group's learning rate.</param>
    /// <param name="WarmUpShare">Share of all steps spent rising.</param>
    public sealed record OneCycle(double Peak = 3, double WarmUpShare = 0.3) : LearningRateSchedule
    {
        public override double FactorAt(long step, long total)
        {
            var turn = Math.Max(1, (WarmUpShare * total) - 1);
            var start = Peak / 25;
            return step <= turn
                ? Anneal(start, Peak, step / turn)
                : Anneal(Peak, start / 1e4, Math.Min(1, (step - turn) / Math.Max(1, total - 1 - turn)));
        }
    }

    /// <summary>Linear warm-up to 1, then half a cosine down to <paramref name="Floor"/>.</summary>
    public sealed record Cosine(long WarmUpSteps = 100, double Floor = 0) : LearningRateSchedule
    {
        public override double FactorAt(long step, long total) =>
            step < WarmUpSteps
                ? (step + 1.0) / WarmUpSteps
                : Anneal(1, Floor, Math.Min(1, (step - WarmUpSteps) / (double)Math.Max(1, total - WarmUpSteps)));
    }

    private static double Anneal(double from, double to, double share) => to + ((from - to) / 2 * (1 + Math.Cos(Math.PI * share)));
}
