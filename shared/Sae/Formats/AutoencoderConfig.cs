using System.Text.Json;
using System.Text.Json.Nodes;
using ClipSae.Tensors;

namespace ClipSae.Sae.Formats;

/// <summary>A JSON file that describes an autoencoder of another program.</summary>
/// <param name="Path">The file.</param>
/// <param name="Root">What it holds.</param>
internal sealed record AutoencoderConfig(string Path, JsonObject Root)
{
    private const long MaxLength = 1 << 20;

    /// <exception cref="UserErrorException">It is missing, too long, or no JSON object.</exception>
    public static AutoencoderConfig Read(string path)
    {
        try
        {
            var bytes =
                new FileInfo(path).Length <= MaxLength
                    ? File.ReadAllBytes(path)
                    : throw new UserErrorException($"{path}: too long to describe an autoencoder");
            JsonTexts.Require(bytes);
            return JsonNode.Parse(bytes) is JsonObject root
                ? new AutoencoderConfig(path, root)
                : throw new UserErrorException($"{path}: is not a JSON object, so it does not describe an autoencoder");
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or JsonException)
        {
            throw new UserErrorException($"{path}: cannot be read: {failure.Message}", failure);
        }
    }

    /// <summary>An object inside; an empty one if there is none.</summary>
    public AutoencoderConfig Part(string key) => new(Path, Root[key] as JsonObject ?? []);

    /// <summary>A text; null if there is none.</summary>
    public string? Text(string key) => Root[key] is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;

    /// <summary>A number; null if there is none.</summary>
    public double? Number(string key) => Root[key] is JsonValue value && value.TryGetValue<double>(out var number) ? number : null;

    /// <summary>A switch; null if there is none.</summary>
    public bool? Flag(string key) => Root[key] is JsonValue value && value.TryGetValue<bool>(out var flag) ? flag : null;

    /// <summary>The whole number of active latents under a key; null if there is none.</summary>
    /// <exception cref="UserErrorException">It is none that an autoencoder can have.</exception>
    public int? ActiveLatents(string key) =>
        Number(key) switch
        {
            null => null,
            >= 1 and <= int.MaxValue and double k => (int)Math.Round(k),
            var other => throw new UserErrorException(
                FormattableString.Invariant($"{Path}: '{key}' is {other}; an autoencoder has at least one active latent")
            ),
        };
}
