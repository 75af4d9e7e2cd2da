using System.Text.Json;
using ClipSae.Contracts;
using ClipSae.Tensors;

namespace ClipSae.Clip;

/// <summary>A model folder as <c>transformers</c> and open_clip keep it: weights in one file or several, and a description beside them.</summary>
internal static class CheckpointFolder
{
    private const string QuickGelu = "quick_gelu";

    private static readonly string[] Weights =
    [
        "model.safetensors", "model.safetensors.index.json", "open_clip_model.safetensors", "pytorch_model.bin", "pytorch_model.bin.index.json", "open_clip_pytorch_model.bin",
    ];

    /// <summary>Opens the weights of a folder.</summary>
    /// <exception cref="UserErrorException">There are none or several, or the description says that this is a model which would be computed wrongly here.</exception>
    public static ITensorFile Open(string folder)
    {
        CheckBeside(Path.Combine(folder, Weights[0]));
        var path = Weights.Select(name => Path.Combine(folder, name)).FirstOrDefault(File.Exists) ?? OnlyFile(folder);
        return ShardedTensors.IsIndex(path) ? ShardedTensors.Open(path) : TensorFiles.Open(path);
    }

    /// <summary>Checks the description beside a file that has the name which such folders give it.</summary>
    public static void CheckBeside(string path)
    {
        if (Weights.Contains(Path.GetFileName(path)))
        {
            CheckDescriptions(Path.GetDirectoryName(Path.GetFullPath(path))!);
        }
    }

    private static string OnlyFile(string folder)
    {
        string[] found = [.. new[] { "*.safetensors", "*.pt", "*.pth", "*.bin" }.SelectMany(pattern => Directory.EnumerateFiles(folder, pattern)).Order(StringComparer.Ordinal)];
        return found switch
        {
            [var only] => only,
            [] => throw new UserErrorException($"{folder}: holds no weights; expected {string.Join(", ", Weights)}, or one file of another name"),
            _ => throw new UserErrorException($"{folder}: holds several files of weights ({Path.GetFileName(found[0])}, {Path.GetFileName(found[1])}, …); name one"),
        };
    }

    // The tensors do not say which activation and how many heads belong to them; a wrong one gives features that look right.
    private static void CheckDescriptions(string folder)
    {
        if (Read(folder, "config.json") is { } config)
        {
            foreach (var tower in new[] { "vision_config", "text_config" })
            {
                CheckTower(Path.Combine(folder, "config.json"), Property(config, tower) ?? default, tower);
            }
        }

        if (Read(folder, "open_clip_config.json") is { } openClip && Property(Property(openClip, "model_cfg") ?? default, QuickGelu) is not { ValueKind: JsonValueKind.True })
        {
            throw new UserErrorException($"{Path.Combine(folder, "open_clip_config.json")}: the model was trained with GELU ({QuickGelu} is not true); only CLIPs with OpenAI's QuickGELU are computed here");
        }
    }

    private static void CheckTower(string path, JsonElement tower, string name)
    {
        if (Property(tower, "hidden_act") is { ValueKind: JsonValueKind.String } activation && activation.GetString() != QuickGelu)
        {
            throw new UserErrorException($"{path}: {name}.hidden_act is {activation.GetString()}; only CLIPs with OpenAI's QuickGELU ({QuickGelu}) are computed here");
        }

        if (Number(tower, "num_attention_heads") is { } heads && Number(tower, "hidden_size") is { } width && heads * ClipArchitecture.HeadWidth != width)
        {
            throw new UserErrorException($"{path}: {name} has {heads} heads for a width of {width}; only heads of {ClipArchitecture.HeadWidth}, as in OpenAI's models, are computed here");
        }
    }

    private static long? Number(JsonElement element, string name) =>
        Property(element, name) is { ValueKind: JsonValueKind.Number } value && value.TryGetInt32(out var number) ? number : null;

    private static JsonElement? Property(JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value) ? value : null;

    private static JsonElement? Read(string folder, string name)
    {
        const long Longest = 1 << 20;
        var path = Path.Combine(folder, name);
        try
        {
            if (!File.Exists(path))
            {
                return null;
            }

            var bytes = new FileInfo(path).Length <= Longest ? File.ReadAllBytes(path) : throw new UserErrorException($"{path}: too long for the description of a model");
            JsonTexts.Require(bytes);
            using var json = JsonDocument.Parse(bytes);
            return json.RootElement.Clone();
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or JsonException)
        {
            throw new UserErrorException($"{path}: cannot be read: {failure.Message}");
        }
    }
}
