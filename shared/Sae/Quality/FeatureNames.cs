using static TorchSharp.torch;

namespace ClipSae.Sae.Quality;

/// <summary>Names for latents.</summary>
public static class FeatureNames
{
    private const int Words = 2;

    /// <summary>
    /// Of a latent of the final embedding: the texts whose embeddings its decoder row points to, best first.
    /// </summary>
    /// <param name="decoderRows">[d_sae, d_in].</param>
    /// <param name="textEmbeddings">[texts, d_in].</param>
    /// <param name="texts">The texts embedded.</param>
    /// <returns>For each latent the best text and its cosine.</returns>
    public static IReadOnlyList<(string Text, double Cosine)> FromTexts(
        Tensor decoderRows,
        Tensor textEmbeddings,
        IReadOnlyList<string> texts
    )
    {
        using var guard = no_grad();
        using var scope = NewDisposeScope();
        // Text and image embeddings sit apart from each other; what all texts share names nothing.
        var centred = textEmbeddings - textEmbeddings.mean([0]);
        var cosines = nn.functional.normalize(decoderRows, 2, 1).mm(nn.functional.normalize(centred, 2, 1).t());
        var (values, indices) = cosines.max(1);
        return
        [
            .. values.data<float>().ToArray().Zip(indices.data<long>().ToArray(), (cosine, text) => (texts[(int)text], (double)cosine)),
        ];
    }

    /// <summary>
    /// Of a latent of an inner layer: the words in more than half of its strongest images' captions that the captions at large have least.
    /// </summary>
    /// <param name="captions">Captions of the latent's strongest images, one list an image.</param>
    /// <param name="shareOfAll">For each word the share of all images whose captions have it; see <see cref="ShareOfImages"/>.</param>
    /// <returns>At most two words, or null where no word is shared.</returns>
    public static string? FromCaptions(IReadOnlyList<IReadOnlyList<string>> captions, IReadOnlyDictionary<string, double> shareOfAll)
    {
        if (captions.Count < 2)
        {
            return null;
        }

        var lifts = captions
            .SelectMany(WordsOf)
            .GroupBy(word => word, StringComparer.Ordinal)
            .Select(group =>
                (
                    Word: group.Key,
                    Share: group.Count() / (double)captions.Count,
                    Lift: (group.Count() / (double)captions.Count) - shareOfAll.GetValueOrDefault(group.Key)
                )
            )
            .Where(word => word.Share > 0.5 && word.Lift > 0)
            .OrderByDescending(word => word.Lift)
            .ThenBy(word => word.Word, StringComparer.Ordinal)
            .Take(Words)
            .Select(word => word.Word)
            .ToArray();
        return lifts.Length == 0 ? null : string.Join(", ", lifts);
    }

    /// <summary>For each word the share of images whose captions have it.</summary>
    public static IReadOnlyDictionary<string, double> ShareOfImages(IReadOnlyCollection<IReadOnlyList<string>> captionsByImage) =>
        captionsByImage
            .SelectMany(WordsOf)
            .GroupBy(word => word, StringComparer.Ordinal)
            .ToDictionary(group => group.Key, group => group.Count() / (double)captionsByImage.Count, StringComparer.Ordinal);

    private static IEnumerable<string> WordsOf(IReadOnlyList<string> captions) =>
        captions
            .SelectMany(caption =>
                caption
                    .ToLowerInvariant()
                    .Split([' ', ',', '.', '"', '\'', ';', ':', '!', '?', '(', ')'], StringSplitOptions.RemoveEmptyEntries)
            )
            .Distinct(StringComparer.Ordinal);
}
