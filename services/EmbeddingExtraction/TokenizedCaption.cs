using System.Globalization;
using ClipSae.Clip.Tokenizers;

namespace ClipSae.EmbeddingExtraction;

/// <summary>A caption as the text tower takes it.</summary>
/// <param name="Image">Place of its image in the shard's list of ids.</param>
/// <param name="Number">Its place among the image's captions.</param>
/// <param name="Name">What distinguishes it from all others: the image's id and its place.</param>
/// <param name="Tokens">[context] ids.</param>
/// <param name="Length">Of these its own, the end-of-text token included.</param>
internal sealed record TokenizedCaption(int Image, int Number, string Name, long[] Tokens, int Length)
{
    /// <summary>
    /// The captions of a shard in order; those that the context does not hold are cut and still end in the end-of-text token.
    /// </summary>
    /// <param name="ids">Ids of the images that were read, in order.</param>
    /// <param name="captions">Captions by id.</param>
    public static IEnumerable<TokenizedCaption> All(
        IReadOnlyList<string> ids,
        IReadOnlyDictionary<string, IReadOnlyList<string>> captions,
        ClipTokenizer tokenizer,
        int context
    )
    {
        foreach (var (image, id) in ids.Index())
        {
            foreach (var (number, caption) in captions[id].Index())
            {
                var tokens = tokenizer.Encode(caption, context, out _);
                yield return new TokenizedCaption(
                    image,
                    number,
                    string.Create(CultureInfo.InvariantCulture, $"{id} caption {number}"),
                    tokens,
                    tokenizer.LengthOf(tokens)
                );
            }
        }
    }
}
