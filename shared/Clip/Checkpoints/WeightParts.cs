using ClipSae.Clip.Architecture;
using ClipSae.Tensors;

namespace ClipSae.Clip.Checkpoints;

/// <summary>Finds the weights of a CLIP in a file, under whatever names they are.</summary>
internal static class WeightParts
{
    private const string OpenClipText = "text.";

    /// <summary>Parts of a text encoder that some programs keep without the name of its model.</summary>
    private static readonly string[] BareText = ["embeddings.", "encoder.", "final_layer_norm."];

    /// <returns>The naming, the weights by OpenAI's keys, and what their place in an image generator says of the model.</returns>
    /// <exception cref="UserErrorException">They are no CLIP's, a key is given twice, or one of query, key and value is missing; names
    /// it.</exception>
    public static (KeyLayout Layout, Dictionary<string, WeightPart> Parts, ModelTraits Traits) Find(ITensorFile file, string source)
    {
        var (keys, traits) = KeyNames.Of(file.Entries.Keys);
        var (layout, parts) = Find(file, keys, source);
        return (layout, parts, traits);
    }

    /// <summary>The weights of one text encoder of an image generator, by OpenAI's keys.</summary>
    /// <exception cref="UserErrorException">They are no CLIP's, a key is given twice, or one of query, key and value is missing; names
    /// it.</exception>
    public static Dictionary<string, WeightPart> Find(ITensorFile file, TextEncoderPlace place, string source) =>
        Find(file, KeyNames.Of(file.Entries.Keys, place), source).Parts;

    private static (KeyLayout Layout, Dictionary<string, WeightPart> Parts) Find(
        ITensorFile file,
        IReadOnlyList<(string Key, string Name)> keys,
        string source
    )
    {
        if (keys.Any(key => key.Name == "embeddings.token_embedding.weight"))
        {
            keys =
            [
                .. keys.Select(key =>
                    (
                        key.Key,
                        BareText.Any(part => key.Name.StartsWith(part, StringComparison.Ordinal))
                            ? HuggingFaceKeys.Text + key.Name
                            : key.Name
                    )
                ),
            ];
        }

        if (
            ForeignWeights.Recognise(
                keys.ToDictionary(key => key.Name, key => file.Entries[key.Key].Shape.Count, StringComparer.Ordinal)
            ) is
            { } foreign
        )
        {
            throw new UserErrorException($"{source}: {foreign}");
        }

        var layout = LayoutOf(keys.Select(key => key.Name));
        var parts = new Dictionary<string, WeightPart>(StringComparer.Ordinal);
        foreach (var group in keys.GroupBy(key => ToOpenAi(key.Name, layout), key => key.Key, StringComparer.Ordinal))
        {
            parts.Add(group.Key, Part(file, group.Key, [.. group], layout, source));
        }

        return (layout, parts);
    }

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

    private static string ToOpenAi(string key, KeyLayout layout) =>
        layout switch
        {
            KeyLayout.HuggingFace => HuggingFaceKeys.ToOpenAi(key) ?? key,
            KeyLayout.OpenClipText when key.StartsWith(OpenClipText, StringComparison.Ordinal) => key[OpenClipText.Length..],
            _ => key,
        };

    private static WeightPart Part(ITensorFile file, string openAi, string[] keys, KeyLayout layout, string source)
    {
        // SigLIP's head has the three in one.
        if (
            layout == KeyLayout.HuggingFace
            && openAi.Contains(".attn.in_proj_", StringComparison.Ordinal)
            && !openAi.StartsWith(ClipKeys.Head, StringComparison.Ordinal)
        )
        {
            return new WeightPart.Stacked(file, Attention(file, keys, source));
        }

        UserErrorException.ThrowIf(keys.Length > 1, $"{source}: keys '{keys[0]}' and '{keys[1]}' both stand for '{openAi}'; keep one");

        // transformers keeps SigLIP's scale and bias, and some training programs CLIP's scale, as a list of one number.
        return layout == KeyLayout.HuggingFace
            && HuggingFaceKeys.IsTransposed(openAi)
            && keys[0].EndsWith(ClipKeys.Weight, StringComparison.Ordinal)
                ? new WeightPart.Transposed(file, keys[0])
            : openAi is ClipKeys.LogitScale or ClipKeys.LogitBias && file.Entries[keys[0]].Shape is [1]
                ? new WeightPart.Single(file, keys[0])
            : new WeightPart.Plain(file, keys[0]);
    }

    private static string[] Attention(ITensorFile file, string[] keys, string source)
    {
        string[] ordered =
        [
            .. HuggingFaceKeys.Attention.Select(part =>
                keys.FirstOrDefault(key => key.Contains($".{part}.", StringComparison.Ordinal)) ?? ""
            ),
        ];
        var missing = Array.IndexOf(ordered, "");
        UserErrorException.ThrowIf(
            missing >= 0,
            $"{source}: '{keys[0]}' is present without its {HuggingFaceKeys.Attention[missing]}; the checkpoint is incomplete"
        );

        var first = file.Entries[ordered[0]];
        return
            ordered.FirstOrDefault(key => !file.Entries[key].Shape.SequenceEqual(first.Shape) || file.Entries[key].Dtype != first.Dtype)
                is { } other
            ? throw new UserErrorException($"{source}: key '{other}' is {file.Entries[other]}, but '{first.Name}' is {first}")
            : ordered;
    }
}
