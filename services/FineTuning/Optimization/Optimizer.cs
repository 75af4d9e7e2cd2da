using ClipSae.Tensors;
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
                parameter.MultiplyInPlace(1 - (rate * group.WeightDecay));
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

    public void Dispose() => State.Dispose();
}
