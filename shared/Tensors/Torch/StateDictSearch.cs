namespace ClipSae.Tensors.Torch;

/// <summary>
/// Finds the named tensors in what a pickle gave: a state dict, one inside of a training checkpoint, the parameters and buffers of a
/// pickled module, or the attributes of a TorchScript module.
/// </summary>
internal sealed class StateDictSearch
{
    /// <summary>Modules and attributes looked at, so that modules that share themselves cannot grow without end.</summary>
    private const int MaxVisits = 1_000_000;

    /// <summary>Modules inside of modules; CLIP has six.</summary>
    private const int Deepest = 64;

    /// <summary>Dictionaries inside of dictionaries, down to the state dict.</summary>
    private const int DeepestWrapper = 5;

    /// <summary>Where training programs put the state dict next to optimizer and epoch, the first that is there counts.</summary>
    private static readonly string[] Wrappers =
    [
        "state_dict",
        "model_state_dict",
        "model",
        "module",
        "net",
        "network",
        "clip",
        "clip_model",
        "ema",
        "model_ema",
        "ema_model",
        "state_dict_ema",
        "ema_state_dict",
        "weights",
        "params",
    ];

    /// <summary>What may be the only dictionary of tensors, and is no model.</summary>
    private static readonly string[] Others =
    [
        "optimizer",
        "optimizer_state_dict",
        "optimizers",
        "optimizer_states",
        "scheduler",
        "scaler",
        "rng_state",
    ];

    private readonly Dictionary<string, TorchTensor> _tensors = new(StringComparer.Ordinal);
    private readonly List<PickledModule> _modules = [];
    private readonly bool _isScript;
    private int _visits;

    /// <exception cref="PickleException">The modules are nested or shared beyond any reason, or a name is given twice.</exception>
    public StateDictSearch(bool isScript, object? root)
    {
        _isScript = isScript;
        for (var depth = 0; root is PickleDict dict && depth < DeepestWrapper && Inner(dict) is { } inner; depth++)
        {
            root = inner;
        }

        switch (root)
        {
            case PickleDict state:
                Take(state, "");
                break;
            case PickleObject module:
                Walk(module, "", 0);
                break;
        }
    }

    /// <summary>Tensors by name; empty if there are none.</summary>
    public IReadOnlyDictionary<string, TorchTensor> Tensors => _tensors;

    /// <summary>Every module of a pickled or scripted model.</summary>
    public IReadOnlyList<PickledModule> Modules => _modules;

    // A state dict may have a loss or a step next to it that are tensors too.
    private object? Inner(PickleDict dict)
    {
        var tensors = TensorsIn(dict);
        var held = dict.Items.Where(item => item.Key is string name && !Others.Contains(name) && Size(item.Value) > tensors).ToList();
        return Wrappers
            .Select(wrapper => held.Find(item => item.Key is string name && name == wrapper).Value)
            .FirstOrDefault(value => value is not null)
            ?? (held.Count == 1 ? held[0].Value : null);
    }

    // A pickled module counts as many; how many it has is not known before it is walked.
    private int Size(object? value) =>
        value switch
        {
            PickleObject { State: PickleDict state } => state["_modules"] is PickleDict ? int.MaxValue : 0,
            PickleDict dict => Math.Max(TensorsIn(dict), Wrappers.Max(name => dict[name] is PickleDict inner ? TensorsIn(inner) : 0)),
            _ => 0,
        };

    private int TensorsIn(PickleDict dict)
    {
        Visit(dict.Items.Count);
        return dict.Items.Count(item => item is { Key: string, Value: TorchTensor });
    }

    private void Walk(PickleObject module, string prefix, int depth)
    {
        if (depth > Deepest)
        {
            throw new PickleException(module.Type.Offset, $"modules are nested more than {Deepest} deep");
        }

        if (module.State is not PickleDict attributes)
        {
            return;
        }

        Describe(module, attributes, prefix);
        if (_isScript)
        {
            Take(attributes, prefix);
            Descend(attributes, prefix, depth);
            return;
        }

        if (attributes["_parameters"] is PickleDict parameters)
        {
            Take(parameters, prefix);
        }

        if (attributes["_buffers"] is PickleDict buffers)
        {
            Take(buffers, prefix, attributes["_non_persistent_buffers_set"] as List<object?>);
        }

        if (attributes["_modules"] is PickleDict modules)
        {
            Descend(modules, prefix, depth);
        }
    }

    private void Describe(PickleObject module, PickleDict attributes, string prefix)
    {
        var plain = new Dictionary<string, object?>(StringComparer.Ordinal);
        foreach (var (key, value) in attributes.Items)
        {
            Visit();
            if (key is string name && value is null or bool or long or double or string)
            {
                plain[name] = value;
            }
        }

        _modules.Add(new PickledModule(prefix.TrimEnd('.'), module.Type.Name[(module.Type.Name.LastIndexOf('.') + 1)..], plain));
    }

    private void Descend(PickleDict modules, string prefix, int depth)
    {
        foreach (var (key, value) in modules.Items)
        {
            Visit();
            if (key is string name && value is PickleObject inner)
            {
                Walk(inner, $"{prefix}{name}.", depth + 1);
            }
        }
    }

    private void Take(PickleDict tensors, string prefix, List<object?>? except = null)
    {
        foreach (var (key, value) in tensors.Items)
        {
            Visit();
            if (
                key is string name
                && value is TorchTensor tensor
                && except?.Contains(name) != true
                && !_tensors.TryAdd(prefix + name, tensor)
            )
            {
                throw new PickleException(0, $"key '{prefix}{name}' appears twice");
            }
        }
    }

    private void Visit(int count = 1)
    {
        _visits += count;
        if (_visits > MaxVisits)
        {
            throw new PickleException(0, "its modules contain each other in a cycle");
        }
    }
}
