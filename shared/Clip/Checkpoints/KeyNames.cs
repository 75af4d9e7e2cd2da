namespace ClipSae.Clip;

/// <summary>Takes off what programs put before and into the names of a CLIP's tensors.</summary>
internal static class KeyNames
{
    /// <summary>Prefixes that training programs leave on every key.</summary>
    private static readonly string[] Wrappers = ["module.", "model.", "clip.", "clip_model.", "ema.", "ema_model.", "model_ema.", "state_dict.", "model_state_dict.", "net."];

    /// <summary>Parts that PyTorch's own wrappers (compilation, sharding, recomputation, DeepSpeed) put anywhere into a key.</summary>
    private static readonly string[] Inserted = ["_orig_mod.", "_fsdp_wrapped_module.", "_checkpoint_wrapped_module.", "_forward_module."];

    /// <summary>Buffers that some programs store though the code makes them anew, and counters of weight averaging.</summary>
    private static readonly string[] Computed = ["position_ids", "attn_mask", "n_averaged", "num_updates"];

    /// <summary>Where image generators keep the text encoder of OpenAI's ViT-L/14: Stable Diffusion 1, SDXL, ComfyUI.</summary>
    private static readonly string[] TextEncoders =
        ["cond_stage_model.transformer.", "conditioner.embedders.0.transformer.", "text_encoders.clip_l.transformer.", "clip_l.transformer."];

    /// <summary>Where they keep one of LAION's, which are trained with GELU: Stable Diffusion 2, SDXL, its refiner, ComfyUI.</summary>
    private static readonly string[] LaionTextEncoders =
        ["cond_stage_model.model.", "conditioner.embedders.1.model.", "conditioner.embedders.0.model.", "text_encoders.clip_g.transformer.", "clip_g.transformer."];

    /// <returns>
    /// Each key as the file has it, and as CLIP's code names it; what is computed, or belongs to other parts of an image generator, is left out. And what the place of
    /// a text encoder says of it.
    /// </returns>
    public static (IReadOnlyList<(string Key, string Name)> Keys, ModelTraits Traits) Of(IEnumerable<string> fileKeys)
    {
        var named = fileKeys.Select(key => (Key: key, Name: Inserted.Aggregate(key, (name, part) => name.Replace(part, "", StringComparison.Ordinal)))).Where(key => !IsComputed(key.Name)).ToList();
        foreach (var encoder in TextEncoders.Concat(LaionTextEncoders))
        {
            if (named.Exists(key => key.Name.StartsWith(encoder, StringComparison.Ordinal)))
            {
                return (
                    [.. named.Where(key => key.Name.StartsWith(encoder, StringComparison.Ordinal)).Select(key => (key.Key, key.Name[encoder.Length..]))],
                    LaionTextEncoders.Contains(encoder) ? new ModelTraits(MlpActivation.Gelu) : ModelTraits.Unknown);
            }
        }

        // One after the other, in any order: "module.", then "model.", …
        while (named.Count > 0 && Wrappers.FirstOrDefault(wrapper => named.TrueForAll(key => key.Name.StartsWith(wrapper, StringComparison.Ordinal))) is { } wrapper)
        {
            named = [.. named.Select(key => (key.Key, key.Name[wrapper.Length..]))];
        }

        return (named, ModelTraits.Unknown);
    }

    private static bool IsComputed(string key) =>
        Computed.Any(name => key == name || (key.EndsWith(name, StringComparison.Ordinal) && key[^(name.Length + 1)] == '.'));
}
