using static TorchSharp.torch;

namespace ClipSae.FineTuning.Optimization;

/// <summary>What an optimizer must remember to go on exactly: step count and two moments a parameter, by state-dict name.</summary>
public sealed class OptimizerState : IDisposable
{
    private readonly Dictionary<string, (Tensor First, Tensor Second)> _moments = new(StringComparer.Ordinal);

    /// <param name="flat">Where the moments lie; null where each parameter gets its own with its first gradient.</param>
    internal OptimizerState(FlatMoments? flat = null)
    {
        foreach (var (name, first, second) in flat?.ByName() ?? [])
        {
            _moments.Add(name, (first, second));
        }
    }

    /// <summary>Steps taken so far.</summary>
    public long Step { get; set; }

    /// <summary>First and second moment of a parameter, zero before its first step, of the parameter's shape and device.</summary>
    public (Tensor First, Tensor Second) MomentsOf(string name, Tensor parameter)
    {
        if (!_moments.TryGetValue(name, out var pair))
        {
            pair = (zeros_like(parameter).DetachFromDisposeScope(), zeros_like(parameter).DetachFromDisposeScope());
            _moments[name] = pair;
        }

        return pair;
    }

    /// <summary>The moments as named tensors, for a checkpoint.</summary>
    public IReadOnlyDictionary<string, Tensor> ToTensors() =>
        _moments
            .SelectMany(m => new[] { (m.Key + ".first", m.Value.First), (m.Key + ".second", m.Value.Second) })
            .ToDictionary(p => p.Item1, p => p.Item2, StringComparer.Ordinal);

    /// <summary>Takes copies of a checkpoint's moments.</summary>
    public void Load(long step, IReadOnlyDictionary<string, Tensor> tensors)
    {
        Step = step;
        foreach (var (name, first) in tensors.Where(t => t.Key.EndsWith(".first", StringComparison.Ordinal)))
        {
            var parameter = name[..^".first".Length];
            var own = MomentsOf(parameter, first);
            own.First.copy_(first);
            own.Second.copy_(tensors[parameter + ".second"]);
        }
    }

    public void Dispose()
    {
        foreach (var (first, second) in _moments.Values)
        {
            first.Dispose();
            second.Dispose();
        }

        _moments.Clear();
    }
}
