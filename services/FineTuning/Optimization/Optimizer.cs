using ClipSae.Clip;
using ClipSae.Tensors;
using static TorchSharp.torch;

namespace ClipSae.FineTuning.Optimization;

/// <summary>Applies one update of the chosen rule to every parameter that has a gradient.</summary>
public sealed class Optimizer : IDisposable
{
    private readonly OptimizerOptions options;
    private readonly TrainingWeights? weights;
    private readonly FlatMoments? moments;
    private readonly OptimizerSpan[] spans;

    /// <param name="options">The rule.</param>
    /// <param name="groups">What is trained.</param>
    /// <param name="weights">The buffers that were laid out for these groups; null where each parameter is on its own.</param>
    public Optimizer(OptimizerOptions options, IReadOnlyList<ParameterGroup> groups, TrainingWeights? weights = null)
    {
        (this.options, this.weights, Groups) = (options, weights, groups);
        moments = weights is null ? null : new FlatMoments(weights);
        State = new OptimizerState(moments);
        spans = [.. moments is null ? OptimizerSpan.Of(groups, State) : OptimizerSpan.Of(groups, weights!, moments)];
    }

    public OptimizerState State { get; }

    public IReadOnlyList<ParameterGroup> Groups { get; }

    /// <summary>What <see cref="Gradients"/> measures and clips: all that were computed.</summary>
    public IReadOnlyList<Tensor> Gradients => weights is null ? [.. spans.Select(span => span.Gradient()).OfType<Tensor>()] : [weights.Gradients];

    /// <summary>One step; afterwards the gradients are cleared.</summary>
    /// <param name="rateFactor">What the schedule multiplies each group's rate with.</param>
    public void Step(double rateFactor)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        State.Step++;
        foreach (var span in spans)
        {
            using var gradient = span.Gradient();
            if (gradient is null)
            {
                continue;
            }

            var (values, group) = (span.Values, span.Group);
            var (first, second) = span.Moments();
            var rate = group.LearningRate * rateFactor;
            if (group.WeightDecay > 0)
            {
                values.MultiplyInPlace(1 - (rate * group.WeightDecay));
            }

            switch (options)
            {
                case OptimizerOptions.AdamW adam:
                    StepAdam(adam, values, gradient, first, second, rate);
                    break;
                case OptimizerOptions.AdaBelief belief:
                    StepAdaBelief(belief, values, gradient, first, second, rate);
                    break;
            }

            if (weights is null)
            {
                values.grad = null;
            }
        }

        weights?.Gradients.zero_();
    }

    private void StepAdam(OptimizerOptions.AdamW o, Tensor parameter, Tensor gradient, Tensor first, Tensor second, double rate)
    {
        first.MultiplyInPlace(o.Beta1).AddInPlace(gradient, 1 - o.Beta1);
        second.MultiplyInPlace(o.Beta2).AddProductInPlace(gradient, gradient, 1 - o.Beta2);
        var firstCorrection = 1 - Math.Pow(o.Beta1, State.Step);
        var secondCorrection = Math.Sqrt(1 - Math.Pow(o.Beta2, State.Step));
        using var denominator = second.sqrt().DivideInPlace(secondCorrection).AddInPlace(o.Epsilon);
        parameter.AddQuotientInPlace(first, denominator, -rate / firstCorrection);
    }

    // The variance is of the gradient around its own mean (the "belief"); ε is added inside as well as outside, as in the authors' code.
    private void StepAdaBelief(OptimizerOptions.AdaBelief o, Tensor parameter, Tensor gradient, Tensor first, Tensor second, double rate)
    {
        first.MultiplyInPlace(o.Beta1).AddInPlace(gradient, 1 - o.Beta1);
        using var surprise = gradient - first;
        second.MultiplyInPlace(o.Beta2).AddProductInPlace(surprise, surprise, 1 - o.Beta2).AddInPlace(o.Epsilon);
        var firstCorrection = 1 - Math.Pow(o.Beta1, State.Step);
        if (Rectification(o.Beta2, State.Step) is { } rectification)
        {
            using var denominator = second.sqrt().AddInPlace(o.Epsilon);
            var secondCorrection = Math.Sqrt(1 - Math.Pow(o.Beta2, State.Step));
            parameter.AddQuotientInPlace(first, denominator, -rate * rectification * secondCorrection / firstCorrection);
        }
        else
        {
            parameter.AddInPlace(first, -rate / firstCorrection);
        }
    }

    /// <summary>RAdam's variance rectification r_t (arXiv 1908.03265, algorithm 2); none while fewer than five effective samples were seen.</summary>
    internal static double? Rectification(double beta2, long step)
    {
        var limit = (2 / (1 - beta2)) - 1;
        var decay = Math.Pow(beta2, step);
        var length = limit - (2 * step * decay / (1 - decay));
        return length < 5
            ? null
            : Math.Sqrt((length - 4) / (limit - 4) * (length - 2) / length * limit / (limit - 2));
    }

    public void Dispose()
    {
        State.Dispose();
        moments?.Dispose();
    }
}
