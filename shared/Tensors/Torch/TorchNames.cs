namespace ClipSae.Tensors.Torch;

/// <summary>The names that checkpoints may use.</summary>
internal static class TorchNames
{
    private static readonly Dictionary<string, string> Storages = new(StringComparer.Ordinal)
    {
        ["DoubleStorage"] = "F64",
        ["FloatStorage"] = "F32",
        ["HalfStorage"] = "F16",
        ["BFloat16Storage"] = "BF16",
        ["LongStorage"] = "I64",
        ["IntStorage"] = "I32",
        ["ShortStorage"] = "I16",
        ["CharStorage"] = "I8",
        ["ByteStorage"] = "U8",
        ["BoolStorage"] = "BOOL",
        ["UntypedStorage"] = "U8",
    };

    private static readonly Dictionary<string, string> Types = new(StringComparer.Ordinal)
    {
        ["float64"] = "F64",
        ["float32"] = "F32",
        ["float16"] = "F16",
        ["bfloat16"] = "BF16",
        ["int64"] = "I64",
        ["int32"] = "I32",
        ["int16"] = "I16",
        ["int8"] = "I8",
        ["uint8"] = "U8",
        ["bool"] = "BOOL",
        ["float8_e4m3fn"] = "F8_E4M3",
        ["float8_e5m2"] = "F8_E5M2",
    };

    /// <summary>The storage class of a dtype, as a pickle names it.</summary>
    public static string StorageClass(string dtype) => Storages.First(storage => storage.Value == dtype).Key;

    /// <summary>Element type of a storage class, or null where the global is none.</summary>
    public static string? StorageDtype(PickleGlobal name) =>
        name.Module is "torch" or "torch.cuda" or "torch.storage" ? Storages.GetValueOrDefault(name.Name) : null;

    /// <summary>Element type of <c>torch.float32</c> and so on, or null where the global is none.</summary>
    public static string? Dtype(object? value) =>
        value is PickleGlobal { Module: "torch" } name ? Types.GetValueOrDefault(name.Name) : null;

    /// <summary>
    /// Packages of which a global may stay a mere name: Lightning keeps under a class what its callbacks know, modules keep the class of
    /// their activation and how they normalise.
    /// </summary>
    private static readonly string[] HarmlessPackages =
    [
        "pytorch_lightning.callbacks.",
        "lightning.pytorch.callbacks.",
        "torch.nn.modules.",
        "overcomplete.sae.",
    ];

    /// <summary>
    /// Whether a global may stay a mere name in a checkpoint: an element type, or a class or function of one of
    /// <see cref="HarmlessPackages"/>.
    /// </summary>
    public static bool IsHarmless(PickleGlobal name) =>
        Dtype(name) is not null
        || StorageDtype(name) is not null
        || HarmlessPackages.Any(package => name.Module.StartsWith(package, StringComparison.Ordinal));

    /// <summary>
    /// Whether a class may be that of a pickled module, whose name nobody can foresee. Those of Python's own system modules are none.
    /// </summary>
    public static bool IsModuleLike(PickleGlobal type) =>
        type.Module
            is not (
                "builtins"
                or "__builtin__"
                or "os"
                or "posix"
                or "nt"
                or "sys"
                or "subprocess"
                or "socket"
                or "shutil"
                or "runpy"
                or "importlib"
            );

    public static PickleException Refuse(PickleGlobal name) =>
        new(
            name.Offset,
            $"it asks for '{name}', which is not a name that weights need; nothing of it was run. "
                + "Get the weights from a source you trust, as safetensors"
        );
}
