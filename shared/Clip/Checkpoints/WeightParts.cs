using ClipSae.Contracts;
using ClipSae.Tensors;

namespace ClipSae.Clip;

/// <summary>Finds the weights of a CLIP in a file, under whatever names they are.</summary>
internal static class WeightParts
{
    private const string OpenClipText = "text.";

    /// <summary>Prefixes that training programs leave on every key.</summary>
    private static readonly string[] Wrappers = ["module.", "clip.", "model."];

    /// <summary>Buffers that some programs store though the code makes them anew.</summary>
    private static readonly string[] Computed = ["position_ids", "attn_mask"];

    /// <returns>The naming, and the weights by OpenAI's keys.</returns>
    /// <exception cref="UserErrorException">A key is given twice, or one of query, key and value is missing; names it.</exception>
    public static (KeyLayout Layout, Dictionary<string, WeightPart> Parts) Find(ITensorFile file, string source)
    {
        var prefix = Wrappers.FirstOrDefault(wrapper => file.Entries.Keys.All(key => key.StartsWith(wrapper, StringComparison.Ordinal))) ?? "";
        string[] keys = [.. file.Entries.Keys.Where(key => !IsComputed(key))];
        var layout = LayoutOf(keys.Select(key => key[prefix.Length..]));
        var parts = new Dictionary<string, WeightPart>(StringComparer.Ordinal);
        foreach (var group in keys.GroupBy(key => ToOpenAi(key[prefix.Length..], layout), StringComparer.Ordinal))
        {
            parts.Add(group.Key, Part(file, group.Key, [.. group], layout, source));
        }

        return (layout, parts);
    }

    private static bool IsComputed(string key) =>
        Computed.Any(name => key == name || (key.EndsWith(name, StringComparison.Ordinal) && key[^(name.Length + 1)] == '.'));

    private static KeyLayout LayoutOf(IEnumerable<string> keys)
    {
        var layout = KeyLayout.OpenAi;
        foreach (var key in keys)
        {
            if (HuggingFaceKeys.IsOne(key))
            {
                return KeyLayout.HuggingFace;
            }

            if (key.StartsWith(OpenClipText, StringComparison.Ordinal))
            {
                layout = KeyLayout.OpenClipText;
            }
        }

        return layout;
    }

    private static string ToOpenAi(string key, KeyLayout layout) => layout switch
    {
        KeyLayout.HuggingFace => HuggingFaceKeys.ToOpenAi(key) ?? key,
        KeyLayout.OpenClipText when key.StartsWith(OpenClipText, StringComparison.Ordinal) => key[OpenClipText.Length..],
        _ => key,
    };

    private static WeightPart Part(ITensorFile file, string openAi, string[] keys, KeyLayout layout, string source)
    {
        if (layout == KeyLayout.HuggingFace && openAi.Contains(".attn.in_proj_", StringComparison.Ordinal))
        {
            return new WeightPart.Stacked(file, Attention(file, keys, source));
        }

        if (keys.Length > 1)
        {
            throw new UserErrorException($"{source}: keys '{keys[0]}' and '{keys[1]}' both stand for '{openAi}'; keep one");
        }

        return layout == KeyLayout.HuggingFace && HuggingFaceKeys.IsTransposed(openAi) && keys[0] != openAi
            ? new WeightPart.Transposed(file, keys[0])
            : new WeightPart.Plain(file, keys[0]);
    }

    private static string[] Attention(ITensorFile file, string[] keys, string source)
    {
        string[] ordered = [.. HuggingFaceKeys.Attention.Select(part => keys.FirstOrDefault(key => key.Contains($".{part}.", StringComparison.Ordinal)) ?? "")];
        var missing = Array.IndexOf(ordered, "");
        if (missing >= 0)
        {
            throw new UserErrorException($"{source}: '{keys[0]}' is there without its {HuggingFaceKeys.Attention[missing]}; the checkpoint is incomplete");
        }

        var first = file.Entries[ordered[0]];
        return ordered.FirstOrDefault(key => !file.Entries[key].Shape.SequenceEqual(first.Shape) || file.Entries[key].Dtype != first.Dtype) is { } other
            ? throw new UserErrorException($"{source}: key '{other}' is {file.Entries[other]}, but '{first.Name}' is {first}")
            : ordered;
    }
}
