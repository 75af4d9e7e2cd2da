using TorchSharp.Modules;

namespace ClipSae.FineTuning.Optimization;

/// <summary>Parameters that share a learning rate and a weight decay.</summary>
/// <param name="Name">As in the curves and the report.</param>
/// <param name="LearningRate">The group's own learning rate; the schedule multiplies it.</param>
/// <param name="WeightDecay">Decoupled, per step and unit of learning rate.</param>
/// <param name="Parameters">State-dict name and parameter, in the model's order.</param>
public sealed record ParameterGroup(
    string Name,
    double LearningRate,
    double WeightDecay,
    IReadOnlyList<(string Name, Parameter Value)> Parameters
);
