using static TorchSharp.torch;

namespace ClipSae.FineTuning.Optimization;

/// <summary>What an optimizer must remember to continue exactly: step count and two moments a parameter, by state-dict name.</summary>
public sealed class OptimizerState : IDisposable
{
    private const string First = ".first";
    private const string Second = ".second";
    private const string Codes = ".codes";
    private const string Scales = ".scales";

    private readonly Dictionary<string, (Tensor First, Tensor Second)> _moments = new(StringComparer.Ordinal);
    private readonly Dictionary<string, (EightBitMoment First, EightBitMoment Second)> _eightBit = new(StringComparer.Ordinal);
    private readonly DynamicMap[] _maps;

    /// <param name="flat">Where the moments are; null where each parameter gets its own with its first gradient.</param>
    /// <param name="eightBit">Parameters whose moments are kept in eight bits.</param>
    internal OptimizerState(FlatMoments? flat = null, IEnumerable<(string Name, Tensor Value)>? eightBit = null)
    {
        foreach (var (name, first, second) in flat?.ByName() ?? [])
        {
            _moments.Add(name, (first, second));
        }

        (string Name, Tensor Value)[] narrow = [.. eightBit ?? []];
        _maps =
            narrow.Length == 0 ? [] : [new DynamicMap(signed: true, narrow[0].Value.device), new(signed: false, narrow[0].Value.device)];
        foreach (var (name, value) in narrow)
        {
            _eightBit.Add(name, (new EightBitMoment(value, _maps[0]), new EightBitMoment(value, _maps[1])));
        }
    }

    /// <summary>Steps taken so far.</summary>
    public long Step { get; set; }

    /// <summary>
    /// First and second moment of a parameter, zero before its first step, of the parameter's shape and device; of what is kept in eight
    /// bits copies, which <see cref="Keep"/> takes back.
    /// </summary>
    public (Tensor First, Tensor Second) MomentsOf(string name, Tensor parameter)
    {
        if (_eightBit.TryGetValue(name, out var narrow))
        {
            return (narrow.First.Read(), narrow.Second.Read());
        }

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
            .SelectMany(m => new[] { (m.Key + First, m.Value.First), (m.Key + Second, m.Value.Second) })
            .Concat(Narrow())
            .ToDictionary(p => p.Item1, p => p.Item2, StringComparer.Ordinal);

    /// <summary>Takes copies of a checkpoint's moments.</summary>
    public void Load(long step, IReadOnlyDictionary<string, Tensor> tensors)
    {
        Step = step;
        foreach (var (name, first) in tensors.Where(t => t.Key.EndsWith(First, StringComparison.Ordinal)))
        {
            var parameter = name[..^First.Length];
            var own = MomentsOf(parameter, first);
            own.First.copy_(first);
            own.Second.copy_(tensors[parameter + Second]);
        }

        foreach (var (name, own) in Narrow())
        {
            own.copy_(tensors[name]);
        }
    }

    /// <summary>Takes back what <see cref="MomentsOf"/> gave, where that was a copy.</summary>
    internal void Keep(string name, Tensor first, Tensor second)
    {
        if (_eightBit.TryGetValue(name, out var narrow))
        {
            narrow.First.Write(first);
            narrow.Second.Write(second);
        }
    }

    public void Dispose()
    {
        foreach (var (first, second) in _moments.Values)
        {
            first.Dispose();
            second.Dispose();
        }

        foreach (var (first, second) in _eightBit.Values)
        {
            first.Dispose();
            second.Dispose();
        }

        foreach (var map in _maps)
        {
            map.Dispose();
        }

        _moments.Clear();
        _eightBit.Clear();
    }

    private IEnumerable<(string, Tensor)> Narrow() =>
        _eightBit.SelectMany(m =>
            new[]
            {
                (m.Key + First + Codes, m.Value.First.Codes),
                (m.Key + First + Scales, m.Value.First.Scales),
                (m.Key + Second + Codes, m.Value.Second.Codes),
                (m.Key + Second + Scales, m.Value.Second.Scales),
            }
        );
}
