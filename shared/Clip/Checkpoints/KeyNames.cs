using ClipSae.Clip.Architecture;

namespace ClipSae.Clip.Checkpoints;

/// <summary>Takes off what programs put before and into the names of a CLIP's tensors.</summary>
internal static class KeyNames
{
    /// <summary>Prefixes that training programs leave on every key.</summary>
    private static readonly string[] Wrappers =
    [
        "module.",
        "model.",
        "clip.",
        "clip_model.",
        "ema.",
        "ema_model.",
        "model_ema.",
        "state_dict.",
        "model_state_dict.",
        "net.",
    ];

    /// <summary>Parts that PyTorch's own wrappers (compilation, sharding, recomputation, DeepSpeed) put anywhere into a key.</summary>
    private static readonly string[] Inserted = ["_orig_mod.", "_fsdp_wrapped_module.", "_checkpoint_wrapped_module.", "_forward_module."];

    /// <summary>Buffers that some programs store though the code makes them again, and counters of weight averaging.</summary>
    private static readonly string[] Computed = ["position_ids", "attn_mask", "n_averaged", "num_updates"];

    /// <returns>
    /// Each key as the file has it, and as CLIP's code names it; what is computed, or belongs to other parts of an image generator, is left
    /// out. And what the place of a text encoder says of it.
    /// </returns>
    public static (IReadOnlyList<(string Key, string Name)> Keys, ModelTraits Traits) Of(IEnumerable<string> fileKeys)
    {
        var named = WithoutInsertions(fileKeys);
        if (TextEncoderPlace.All.FirstOrDefault(place => named.Exists(key => place.Holds(key.Name))) is { } first)
        {
            // OpenAI's activation is what is taken where nothing else is known: a description next to the file may say another.
            return (
                Within(first, named),
                first.Activation == MlpActivation.QuickGelu ? ModelTraits.Unknown : new ModelTraits(first.Activation)
            );
        }

        // One after the other, in any order: "module.", then "model.", …
        while (
            named.Count > 0
            && Wrappers.FirstOrDefault(wrapper => named.TrueForAll(key => key.Name.StartsWith(wrapper, StringComparison.Ordinal)))
                is { } wrapper
        )
        {
            named = [.. named.Select(key => (key.Key, key.Name[wrapper.Length..]))];
        }

        return (named, ModelTraits.Unknown);
    }

    /// <summary>The keys of one text encoder of an image generator, as the file has them and as CLIP's code names them.</summary>
    public static IReadOnlyList<(string Key, string Name)> Of(IEnumerable<string> fileKeys, TextEncoderPlace place) =>
        Within(place, WithoutInsertions(fileKeys));

    private static List<(string Key, string Name)> Within(TextEncoderPlace place, IEnumerable<(string Key, string Name)> named) =>
        [.. named.Where(key => place.Holds(key.Name)).Select(key => (key.Key, key.Name[place.Prefix.Length..]))];

    private static List<(string Key, string Name)> WithoutInsertions(IEnumerable<string> fileKeys) =>
        [
            .. fileKeys
                .Select(key => (Key: key, Name: Inserted.Aggregate(key, (name, part) => name.Replace(part, "", StringComparison.Ordinal))))
                .Where(key => !IsComputed(key.Name)),
        ];

    private static bool IsComputed(string key) =>
        Computed.Any(name => key == name || (key.EndsWith(name, StringComparison.Ordinal) && key[^(name.Length + 1)] == '.'));
}
