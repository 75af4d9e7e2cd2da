using System.Text.Json;
using ClipSae.Contracts;

namespace ClipSae.Clip;

/// <summary>
/// In which order a model's own preprocessing resizes pictures and converts them to RGB. openai/CLIP and open_clip resize first; transformers'
/// <c>CLIPImageProcessor</c> converts first. Only pictures that are not kept as RGB, grey or YCbCr differ.
/// </summary>
public static class ImageOrder
{
    private const string Description = "preprocessor_config.json";
    private const int Longest = 1 << 20;

    /// <summary>Whether transformers' description lies beside a checkpoint and does not switch the conversion off.</summary>
    /// <param name="checkpoint">A file of weights, or a model folder.</param>
    /// <exception cref="UserErrorException">The description cannot be read.</exception>
    public static bool ConvertsFirst(string checkpoint)
    {
        var folder = Directory.Exists(checkpoint) ? checkpoint : Path.GetDirectoryName(Path.GetFullPath(checkpoint))!;
        var path = Path.Combine(folder, Description);
        if (!File.Exists(path))
        {
            return false;
        }

        try
        {
            using var json = JsonDocument.Parse(new FileInfo(path).Length <= Longest ? File.ReadAllBytes(path) : throw new UserErrorException($"{path}: too long for the description of a preprocessor"));
            return json.RootElement.ValueKind == JsonValueKind.Object
                && !(json.RootElement.TryGetProperty("do_convert_rgb", out var converts) && converts.ValueKind == JsonValueKind.False);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or JsonException)
        {
            throw new UserErrorException($"{path}: cannot be read: {failure.Message}", failure);
        }
    }
}
