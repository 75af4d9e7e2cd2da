using ClipSae.Clip.Model;
using ClipSae.Clip.Training;
using ClipSae.Tensors;
using static TorchSharp.torch;

namespace ClipSae.FineTuning.Optimization;

/// <summary>Applies one update of the chosen rule to every parameter that has a gradient.</summary>
public sealed class Optimizer : IDisposable
{
    private readonly OptimizerOptions _options;
    private readonly TrainingWeights? _weights;
    private readonly TrainingKernels? _kernels;
    private readonly FlatMoments? _moments;
    private readonly OptimizerSpan[] _spans;

    /// <param name="options">The rule.</param>
    /// <param name="groups">What is trained.</param>
    /// <param name="weights">The buffers that were laid out for these groups; null where each parameter is on its own.</param>
    /// <param name="moments">How moments are kept between steps.</param>
    public Optimizer(
        OptimizerOptions options,
        IReadOnlyList<ParameterGroup> groups,
        TrainingWeights? weights = null,
        Precision moments = Precision.Float32
    )
    {
        (_options, _weights, Groups) = (options, weights, groups);
        if (moments == Precision.Int8)
        {
            State = new OptimizerState(
                eightBit: groups
                    .SelectMany(group => group.Parameters)
                    .Where(parameter => EightBitMoment.IsOf(parameter.Name, parameter.Value.NumberOfElements))
                    .Select(parameter => (parameter.Name, (Tensor)parameter.Value))
            );
            _spans = [.. OptimizerSpan.Of(groups, State, weights)];
            return;
        }

        _kernels = weights?.Kernels;
        _moments = weights is null ? null : new FlatMoments(weights);
        State = new OptimizerState(_moments);
        _spans = [.. _moments is null ? OptimizerSpan.Of(groups, State) : OptimizerSpan.Of(groups, weights!, _moments)];
    }

    public OptimizerState State { get; }

    public IReadOnlyList<ParameterGroup> Groups { get; }

    /// <summary>What <see cref="Gradients"/> measures and clips: all that were computed.</summary>
    public IReadOnlyList<Tensor> Gradients =>
        _weights is null ? [.. _spans.Select(span => span.Gradient()).OfType<Tensor>()] : [_weights.Gradients];

    /// <summary>One step; afterwards the gradients are cleared.</summary>
    /// <param name="scheduleFactor">What the schedule multiplies each group's learning rate with.</param>
    /// <param name="gradientFactor">What the gradients are multiplied with, a scalar on their device (<see cref="Gradients.ClipFactor"/>);
    /// null for 1.</param>
    public void Step(double scheduleFactor, Tensor? gradientFactor = null)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        State.Step++;
        if (_kernels is not null)
        {
            var clip = gradientFactor ?? ones([], device: _weights!.Values.device);
            foreach (var span in _spans)
            {
                Launch(_kernels, span, clip, span.Group.LearningRate * scheduleFactor);
            }

            return;
        }

        foreach (var span in _spans)
        {
            // What is kept in eight bits is there in float32 one parameter at a time.
            using var ofSpan = NewDisposeScope();
            using var gradient = span.Gradient();
            if (gradient is null)
            {
                continue;
            }

            if (gradientFactor is not null)
            {
                gradient.mul_(gradientFactor);
            }

            var (first, second) = span.Moments();
            Update(span, gradient, first, second, span.Group.LearningRate * scheduleFactor);
            span.Keep?.Invoke(first, second);
            if (_weights is null)
            {
                span.Values.grad = null;
            }
        }

        _weights?.Gradients.zero_();
    }

    private void Update(OptimizerSpan span, Tensor gradient, Tensor first, Tensor second, double learningRate)
    {
        if (span.Group.WeightDecay > 0)
        {
            span.Values.MultiplyInPlace(1 - (learningRate * span.Group.WeightDecay));
        }

        switch (_options)
        {
            case OptimizerOptions.AdamW adam:
                StepAdam(adam, span.Values, gradient, first, second, learningRate);
                break;
            case OptimizerOptions.AdaBelief belief:
                StepAdaBelief(belief, span.Values, gradient, first, second, learningRate);
                break;
        }
    }

    // The same in one pass over memory.
    private void Launch(TrainingKernels kernels, OptimizerSpan span, Tensor clip, double learningRate)
    {
        var (stretch, keep) = (span.Stretch!, 1 - (learningRate * span.Group.WeightDecay));
        switch (_options)
        {
            case OptimizerOptions.AdamW o:
                kernels.AdamW(
                    stretch,
                    clip,
                    keep,
                    o.Beta1,
                    o.Beta2,
                    o.Epsilon,
                    learningRate / FirstCorrection(o.Beta1),
                    SecondCorrection(o.Beta2)
                );
                break;
            case OptimizerOptions.AdaBelief o:
                var rectification = Rectification(o.Beta2, State.Step);
                kernels.AdaBelief(
                    stretch,
                    clip,
                    keep,
                    o.Beta1,
                    o.Beta2,
                    o.Epsilon,
                    learningRate * (rectification * SecondCorrection(o.Beta2) ?? 1) / FirstCorrection(o.Beta1),
                    rectification is not null
                );
                break;
        }
    }

    private double FirstCorrection(double beta1) => 1 - Math.Pow(beta1, State.Step);

    private double SecondCorrection(double beta2) => Math.Sqrt(1 - Math.Pow(beta2, State.Step));

    private void StepAdam(OptimizerOptions.AdamW o, Tensor parameter, Tensor gradient, Tensor first, Tensor second, double learningRate)
    {
        first.MultiplyInPlace(o.Beta1).AddInPlace(gradient, 1 - o.Beta1);
        second.MultiplyInPlace(o.Beta2).AddProductInPlace(gradient, gradient, 1 - o.Beta2);
        using var denominator = second.sqrt().DivideInPlace(SecondCorrection(o.Beta2)).AddInPlace(o.Epsilon);
        parameter.AddQuotientInPlace(first, denominator, -learningRate / FirstCorrection(o.Beta1));
    }

    // The variance is of the gradient around its own mean (the "belief"); ε is added inside as well as outside, as in the authors' code.
    private void StepAdaBelief(
        OptimizerOptions.AdaBelief o,
        Tensor parameter,
        Tensor gradient,
        Tensor first,
        Tensor second,
        double learningRate
    )
    {
        first.MultiplyInPlace(o.Beta1).AddInPlace(gradient, 1 - o.Beta1);
        using var surprise = gradient - first;
        second.MultiplyInPlace(o.Beta2).AddProductInPlace(surprise, surprise, 1 - o.Beta2).AddInPlace(o.Epsilon);
        if (Rectification(o.Beta2, State.Step) is { } rectification)
        {
            using var denominator = second.sqrt().AddInPlace(o.Epsilon);
            parameter.AddQuotientInPlace(
                first,
                denominator,
                -learningRate * rectification * SecondCorrection(o.Beta2) / FirstCorrection(o.Beta1)
            );
        }
        else
        {
            parameter.AddInPlace(first, -learningRate / FirstCorrection(o.Beta1));
        }
    }

    /// <summary>
    /// RAdam's variance rectification r_t (arXiv 1908.03265, algorithm 2); none while fewer than five effective samples were seen.
    /// </summary>
    internal static double? Rectification(double beta2, long step)
    {
        var limit = (2 / (1 - beta2)) - 1;
        var decay = Math.Pow(beta2, step);
        var length = limit - (2 * step * decay / (1 - decay));
        return length < 5 ? null : Math.Sqrt((length - 4) / (limit - 4) * (length - 2) / length * limit / (limit - 2));
    }

    public void Dispose()
    {
        State.Dispose();
        _moments?.Dispose();
    }
}
