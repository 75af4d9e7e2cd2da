namespace ClipSae.Tensors;

/// <summary>
/// Finds the named tensors in what a pickle gave: a state dict, one inside of a training checkpoint, the parameters and buffers of a
/// pickled module, or the attributes of a TorchScript module.
/// </summary>
internal sealed class StateDictSearch(bool isScript)
{
    /// <summary>Modules and attributes looked at, so that modules that share themselves cannot grow without end.</summary>
    private const int MostVisits = 1_000_000;

    /// <summary>Modules inside of modules; CLIP has six.</summary>
    private const int Deepest = 64;

    /// <summary>Where training programs put the state dict beside optimizer and epoch.</summary>
    private static readonly string[] Wrappers = ["state_dict", "model_state_dict", "model", "module", "ema"];

    private readonly Dictionary<string, TorchTensor> _found = new(StringComparer.Ordinal);
    private int _visits;

    /// <returns>Tensors by name; empty where there are none.</returns>
    /// <exception cref="PickleException">The modules are nested or shared beyond any reason, or a name is given twice.</exception>
    public IReadOnlyDictionary<string, TorchTensor> Find(object? root)
    {
        for (var depth = 0; root is PickleDict dict && depth < Wrappers.Length; depth++)
        {
            if (dict.Items.Any(item => item is { Key: string, Value: TorchTensor }))
            {
                break;
            }

            root = Wrappers.Select(name => dict[name]).FirstOrDefault(value => value is PickleDict or PickleObject) ?? root;
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

        return _found;
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

        if (isScript)
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
            if (key is string name && value is TorchTensor tensor && except?.Contains(name) != true && !_found.TryAdd(prefix + name, tensor))
            {
                throw new PickleException(0, $"key '{prefix}{name}' appears twice");
            }
        }
    }

    private void Visit()
    {
        if (++_visits > MostVisits)
        {
            throw new PickleException(0, "its modules hold each other again and again");
        }
    }
}
