using System.Text;

namespace ClipSae.Clip.Generators;

/// <summary>
/// Prompts as people give them to image generators; some of them ask for written words, which is where a model that reads less may differ
/// most.
/// </summary>
public static class GeneratorPrompts
{
    private const int MaxPrompts = 1000;
    private const long MaxBytes = 4 << 20;

    /// <summary>Those that are used where the user gives none.</summary>
    public static IReadOnlyList<string> Default { get; } =
    [
        "a photo of a cat",
        "portrait of an old fisherman, 85mm, soft window light, film grain",
        "a red bicycle leaning against a white wall",
        "an oil painting of a harbour at dawn",
        "isometric illustration of a small bakery, pastel colours",
        "macro photograph of a dew drop on a leaf, shallow depth of field",
        "a knight in silver armour riding a dragon over snowy mountains, epic, highly detailed",
        "two children building a sandcastle on the beach, watercolour",
        "a bowl of ramen with a soft boiled egg, top view, studio lighting",
        "low poly render of a fox in a forest",
        "a wooden desk with a laptop, a cup of coffee and a green plant",
        "astronaut walking through a field of sunflowers, golden hour, 35mm",
        "pencil sketch of a gothic cathedral",
        "a yellow taxi in the rain at night, neon reflections, cinematic",
        "three apples and one pear on a blue plate",
        "an empty swimming pool, minimalist architecture, symmetrical composition",
        "a neon sign that says \"OPEN\"",
        "a cardboard box with the word \"fragile\" printed on it",
        "a storefront with the text \"Blue Moon Cafe\" above the door",
        "a poster that reads \"keep calm\"",
        "a birthday cake with \"Happy Birthday Anna\" written in icing",
        "a t-shirt with the word \"dog\" on it, worn by a cat",
        "a road sign pointing to \"Paris\"",
        "a handwritten note that says \"back in five minutes\"",
    ];

    /// <summary>Reads prompts from a file, one a line; empty lines do not count.</summary>
    /// <exception cref="UserErrorException">It cannot be read, is not UTF-8, or has no prompt or too many.</exception>
    public static IReadOnlyList<string> Read(string path)
    {
        try
        {
            UserErrorException.ThrowIf(
                new FileInfo(path).Length > MaxBytes,
                $"{path}: too long for a list of prompts; at most {MaxPrompts} are compared"
            );

            string[] prompts =
            [
                .. File.ReadAllLines(path, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true))
                    .Select(line => line.Trim())
                    .Where(line => line.Length > 0),
            ];
            return prompts.Length is > 0 and <= MaxPrompts
                ? prompts
                : throw new UserErrorException(
                    $"{path}: has {prompts.Length} prompts; between 1 and {MaxPrompts} are compared, one a line"
                );
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or DecoderFallbackException)
        {
            throw new UserErrorException($"{path}: cannot be read as UTF-8 text: {failure.Message}", failure);
        }
    }
}
