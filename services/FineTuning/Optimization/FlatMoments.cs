using ClipSae.Clip.Model;
using ClipSae.Clip.Training;
using static TorchSharp.torch;

namespace ClipSae.FineTuning.Optimization;

/// <summary>The moments of all trained parameters, side by side as the parameters are.</summary>
internal sealed class FlatMoments(TrainingWeights weights) : IDisposable
{
    /// <summary>[<see cref="ParameterLayout.TrainedLength"/>].</summary>
    public Tensor First { get; } = zeros_like(weights.Gradients).DetachFromDisposeScope();

    /// <summary>[<see cref="ParameterLayout.TrainedLength"/>].</summary>
    public Tensor Second { get; } = zeros_like(weights.Gradients).DetachFromDisposeScope();

    /// <summary>Each parameter's, by its key.</summary>
    public IEnumerable<(string Name, Tensor First, Tensor Second)> ByName() =>
        weights
            .Layout.Places.Where(weights.Layout.IsTrained)
            .Select(place => (place.Name, place.Of(First).DetachFromDisposeScope(), place.Of(Second).DetachFromDisposeScope()));

    public void Dispose()
    {
        First.Dispose();
        Second.Dispose();
    }
}
