using ClipSae.Clip.Model;
using ClipSae.Clip.Training;
using static TorchSharp.torch;

namespace ClipSae.FineTuning.Optimization;

/// <summary>What the operations of an update reach at once: one parameter, or many of a group where they are side by side.</summary>
/// <param name="Group">Has learning rate and decay.</param>
/// <param name="Gradient">Gives the gradient, or null if there is none.</param>
/// <param name="Moments">Gives the first and the second moment.</param>
/// <param name="Stretch">The same for kernels; null if there are none.</param>
/// <param name="Keep">Takes the moments back after the update; null where they were changed in place.</param>
internal sealed record OptimizerSpan(
    ParameterGroup Group,
    Tensor Values,
    Func<Tensor?> Gradient,
    Func<(Tensor First, Tensor Second)> Moments,
    TrainingKernels.Stretch? Stretch = null,
    Action<Tensor, Tensor>? Keep = null
)
{
    /// <summary>Elements of a span at most, so that what an update computes in addition stays small: 128 MiB a tensor.</summary>
    private const long MaxLength = 1 << 25;

    /// <summary>The spans of parameters that are each alone.</summary>
    public static IEnumerable<OptimizerSpan> Of(IEnumerable<ParameterGroup> groups, OptimizerState state) =>
        from @group in groups
        from parameter in @group.Parameters
        select new OptimizerSpan(
            @group,
            parameter.Value,
            () => parameter.Value.grad,
            () => state.MomentsOf(parameter.Name, parameter.Value)
        );

    /// <summary>The spans of parameters of which each has moments of its own, some of them in eight bits.</summary>
    /// <param name="weights">The buffers that the parameters are in; null where each is alone.</param>
    public static IEnumerable<OptimizerSpan> Of(IEnumerable<ParameterGroup> groups, OptimizerState state, TrainingWeights? weights)
    {
        foreach (var (@group, (name, value)) in groups.SelectMany(@group => @group.Parameters.Select(parameter => (@group, parameter))))
        {
            var (values, gradients) = weights is null
                ? (value, null)
                : (
                    weights.Layout[name].Of(weights.Values).DetachFromDisposeScope(),
                    weights.Layout[name].Of(weights.Gradients).DetachFromDisposeScope()
                );
            yield return new OptimizerSpan(
                @group,
                values,
                () => gradients is null ? value.grad : gradients.alias(),
                () => state.MomentsOf(name, value),
                Keep: (first, second) => state.Keep(name, first, second)
            );
        }
    }

    /// <summary>The spans of a training's buffers.</summary>
    /// <param name="groups">As the buffers were laid out for.</param>
    public static IEnumerable<OptimizerSpan> Of(IEnumerable<ParameterGroup> groups, TrainingWeights weights, FlatMoments moments)
    {
        foreach (var (@group, (start, length)) in groups.Zip(weights.Layout.Groups))
        {
            for (var from = start; from < start + length; from += MaxLength)
            {
                var count = Math.Min(MaxLength, start + length - from);
                Tensor Part(Tensor buffer) => buffer.narrow(0, from, count).DetachFromDisposeScope();
                var (gradient, pair) = (Part(weights.Gradients), (Part(moments.First), Part(moments.Second)));
                var values = Part(weights.Values);
                var stretch = weights.Kernels is null ? null : new TrainingKernels.Stretch(values, gradient, pair.Item1, pair.Item2);
                yield return new OptimizerSpan(@group, values, () => gradient.alias(), () => pair, stretch);
            }
        }
    }
}
