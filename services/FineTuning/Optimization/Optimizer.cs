using TorchSharp;
using static TorchSharp.torch;

namespace ClipSae.FineTuning.Optimization;

/// <summary>Applies one update of the chosen rule to every parameter that has a gradient.</summary>
public sealed class Optimizer(OptimizerOptions options, IReadOnlyList<ParameterGroup> groups) : IDisposable
{
    public OptimizerState State { get; } = new();

    public IReadOnlyList<ParameterGroup> Groups { get; } = groups;

    /// <summary>One step; afterwards the gradients are cleared.</summary>
    /// <param name="rateFactor">What the schedule multiplies each group's rate with.</param>
    public void Step(double rateFactor)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        State.Step++;
        foreach (var group in Groups)
        {
            foreach (var (name, parameter) in group.Parameters)
            {
                using var gradient = parameter.grad;
                if (gradient is null)
                {
                    continue;
                }

                var (first, second) = State.MomentsOf(name, parameter);
                var rate = group.LearningRate * rateFactor;
                using Scalar shrink = 1 - (rate * group.WeightDecay);
                parameter.mul_(shrink);
                switch (options)
                {
                    case OptimizerOptions.AdamW adam:
                        StepAdam(adam, parameter, gradient, first, second, rate);
                        break;
                    case OptimizerOptions.AdaBelief belief:
                        StepAdaBelief(belief, parameter, gradient, first, second, rate);
                        break;
                }

                parameter.grad = null;
            }
        }
    }

    // Numbers are held for the length of each call: TorchSharp does not, and a collection then frees them while libtorch reads them.
    private void StepAdam(OptimizerOptions.AdamW o, Tensor parameter, Tensor gradient, Tensor first, Tensor second, double rate)
    {
        using Scalar keepFirst = o.Beta1, addFirst = 1 - o.Beta1, keepSecond = o.Beta2, addSecond = 1 - o.Beta2, epsilon = o.Epsilon;
        first.mul_(keepFirst).add_(gradient, addFirst);
        second.mul_(keepSecond).addcmul_(gradient, gradient, addSecond);
        using Scalar secondCorrection = Math.Sqrt(1 - Math.Pow(o.Beta2, State.Step));
        using Scalar stride = -rate / (1 - Math.Pow(o.Beta1, State.Step));
        using var denominator = second.sqrt().div_(secondCorrection).add_(epsilon);
        parameter.addcdiv_(first, denominator, stride);
    }

    // The variance is of the gradient around its own mean (the "belief"); ε is added inside as well as outside, as in the authors' code.
    private void StepAdaBelief(OptimizerOptions.AdaBelief o, Tensor parameter, Tensor gradient, Tensor first, Tensor second, double rate)
    {
        using Scalar keepFirst = o.Beta1, addFirst = 1 - o.Beta1, keepSecond = o.Beta2, addSecond = 1 - o.Beta2, epsilon = o.Epsilon;
        first.mul_(keepFirst).add_(gradient, addFirst);
        using var surprise = gradient - first;
        second.mul_(keepSecond).addcmul_(surprise, surprise, addSecond).add_(epsilon);
        var firstCorrection = 1 - Math.Pow(o.Beta1, State.Step);
        if (Rectification(o.Beta2, State.Step) is { } rectification)
        {
            using var denominator = second.sqrt().add_(epsilon);
            var secondCorrection = Math.Sqrt(1 - Math.Pow(o.Beta2, State.Step));
            using Scalar stride = -rate * rectification * secondCorrection / firstCorrection;
            parameter.addcdiv_(first, denominator, stride);
        }
        else
        {
            using Scalar stride = -rate / firstCorrection;
            parameter.add_(first, stride);
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

    public void Dispose() => State.Dispose();
}
