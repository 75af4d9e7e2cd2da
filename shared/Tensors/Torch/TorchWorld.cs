namespace ClipSae.Tensors.Torch;

/// <summary>The globals that checkpoints use to make tensors and containers; every other call is refused by name.</summary>
internal sealed class TorchWorld : IPickleWorld
{
    /// <summary>PyTorch itself allows 64.</summary>
    private const int MaxAxes = 64;

    /// <summary>More than any file holds, and few enough that their bytes can be counted in 64 bits.</summary>
    private const long MaxElements = 1L << 48;

    public object? Call(PickleGlobal function, object?[] arguments, long offset) =>
        (function.Module, function.Name, arguments) switch
        {
            ("collections", "OrderedDict", []) => new PickleDict(),
            ("collections", "OrderedDict", [List<object?> pairs]) => Dictionary(pairs, offset),
            ("__builtin__" or "builtins", "set" or "frozenset", [List<object?> items]) => items,
            ("__builtin__" or "builtins", "set", []) => new List<object?>(),
            ("torch", "Size", [object?[] sizes]) => sizes,
            ("torch", "Size", [List<object?> sizes]) => Sizes(sizes, offset),
            ("torch", "device", [string, ..]) => arguments[0],
            ("torch._utils", "_rebuild_tensor", [TorchStorage storage, var start, var shape, var strides]) => Tensor(
                storage,
                storage.Dtype,
                start,
                shape,
                strides,
                offset
            ),
            ("torch._utils", "_rebuild_tensor_v2", [TorchStorage storage, var start, var shape, var strides, _, _, ..]) => Tensor(
                storage,
                storage.Dtype,
                start,
                shape,
                strides,
                offset
            ),
            ("torch._utils", "_rebuild_tensor_v3", [TorchStorage storage, var start, var shape, var strides, _, _, var dtype, ..]) =>
                Tensor(storage, TorchNames.Dtype(dtype) ?? throw Unfit(function, offset), start, shape, strides, offset),
            ("torch._utils", "_rebuild_parameter" or "_rebuild_parameter_with_state", [TorchTensor tensor, ..]) => tensor,
            ("torch.nn.parameter", "Parameter", [TorchTensor tensor, ..]) => tensor,
            ("torch.jit._pickle", "build_intlist" or "build_boollist" or "build_doublelist" or "build_tensorlist", [List<object?> items]) =>
                items,
            // What training programs keep next to weights: numbers, arrays, dates and paths. They are passed over.
            ("numpy.core.multiarray" or "numpy._core.multiarray", "scalar", [PickleObject, byte[] or string]) => new PickleObject(function),
            ("numpy.core.multiarray" or "numpy._core.multiarray", "_reconstruct", [PickleGlobal, object?[], _]) => new PickleObject(
                function
            ),
            ("numpy", "dtype", [string, ..]) => new PickleObject(function),
            ("_codecs", "encode", [string text, string]) => text,
            ("datetime", "datetime" or "date" or "timedelta", _) => new PickleObject(function),
            ("pathlib" or "pathlib._local", "PosixPath" or "WindowsPath" or "PurePosixPath", _) => new PickleObject(function),
            ("collections", "defaultdict", [PickleGlobal]) => new PickleDict(),
            ("collections" or "torch._utils" or "torch.jit._pickle", _, _) when IsKnown(function) => throw Unfit(function, offset),
            _ => throw TorchNames.Refuse(function),
        };

    /// <summary>Every storage that the pickle has named, by its key.</summary>
    public Dictionary<string, TorchStorage> Storages { get; } = new(StringComparer.Ordinal);

    // ('storage', class, key, device, elements) and, in the legacy format, a view or null after them; ('module', class, file, source) of
    // pickled modules.
    public object? Resolve(object? id, long offset)
    {
        switch (id as object?[])
        {
            case ["module", PickleGlobal type, ..]:
                return type;
            case ["storage", PickleGlobal, string key, string, long, not null, ..]:
                throw new PickleException(
                    offset,
                    $"storage '{key}' is a view of another, as PyTorch before 0.4 wrote them; "
                        + "save the checkpoint again with a newer PyTorch"
                );
            case ["storage", PickleGlobal type, string key, string, long elements and >= 0, ..]:
                var storage = new TorchStorage(key, TorchNames.StorageDtype(type) ?? throw TorchNames.Refuse(type), elements);
                return Storages.TryAdd(key, storage) || Storages[key] == storage
                    ? storage
                    : throw new PickleException(offset, $"storage '{key}' is {Storages[key]} here and {storage} there");
            default:
                throw new PickleException(offset, "a persistent id does not name a storage");
        }
    }

    private static bool IsKnown(PickleGlobal function) =>
        function.Name
            is "OrderedDict"
                or "_rebuild_tensor"
                or "_rebuild_tensor_v2"
                or "_rebuild_tensor_v3"
                or "_rebuild_parameter"
                or "_rebuild_parameter_with_state"
        || function.Module is "torch.jit._pickle";

    private static PickleException Unfit(PickleGlobal function, long offset) => new(offset, $"the arguments of '{function}' do not fit");

    // Only the empty one and short ones are written this way; a long list given again and again would take quadratic time.
    private static PickleDict Dictionary(List<object?> pairs, long offset)
    {
        var dict = new PickleDict();
        foreach (
            var pair in pairs.Count <= 4096
                ? pairs
                : throw new PickleException(offset, $"an OrderedDict is made of {pairs.Count} pairs at once")
        )
        {
            dict.Items.Add(
                pair switch
                {
                    object?[] and [var key, var value] => new(key, value),
                    List<object?> and [var key, var value] => new(key, value),
                    _ => throw new PickleException(offset, "an OrderedDict is made of something that is not a pair"),
                }
            );
        }

        return dict;
    }

    private static object?[] Sizes(List<object?> sizes, long offset) =>
        sizes.Count <= MaxAxes ? [.. sizes] : throw new PickleException(offset, $"a size has {sizes.Count} axes");

    private static TorchTensor Tensor(TorchStorage storage, string dtype, object? start, object? shape, object? strides, long offset)
    {
        if (
            start is not long first
            || first < 0
            || !TryNumbers(shape, out var sizes)
            || !TryNumbers(strides, out var steps)
            || sizes.Length != steps.Length
        )
        {
            throw new PickleException(offset, $"a tensor of storage '{storage.Key}' has no valid offset, shape and strides");
        }

        // In 128 bits, and stopped early, because lying sizes may overflow any width. Strides of 0 and overlaps may give more elements than
        // the storage has; how many bytes all tensors take is held against the file's length when they are known.
        Int128 elements = 1,
            last = first,
            room = storage.Bytes / SafetensorsDtype.Size(dtype)!.Value;
        var empty = sizes.Contains(0);
        foreach (var (size, step) in sizes.Zip(steps))
        {
            elements *= empty ? Math.Max(1, size) : size;
            last += empty ? 0 : (Int128)(size - 1) * step;
            if (elements > MaxElements || last >= room)
            {
                break;
            }
        }

        return elements <= MaxElements && (empty || last < room)
            ? new TorchTensor(storage, dtype, first, sizes, steps)
            : throw new PickleException(
                offset,
                $"a tensor [{string.Join(", ", sizes)}] reaches beyond storage '{storage.Key}' of {storage.Elements} elements"
            );
    }

    private static bool TryNumbers(object? value, out long[] numbers)
    {
        IReadOnlyList<object?>? items = value switch
        {
            object?[] tuple => tuple,
            List<object?> list => list,
            _ => null,
        };
        numbers = [];
        if (items is null || items.Count > MaxAxes || !items.All(item => item is long and >= 0))
        {
            return false;
        }

        numbers = [.. items.Select(item => (long)item!)];
        return true;
    }
}
