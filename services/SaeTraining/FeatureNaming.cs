using ClipSae.Sae.Encoding;
using ClipSae.Sae.Quality;

namespace ClipSae.SaeTraining;

/// <summary>Names of all latents of an autoencoder, null where a latent has none.</summary>
internal static class FeatureNaming
{
    private const int Vocabulary = 2000;

    /// <summary>By the words that the captions of a latent's strongest images, or its strongest captions, share; for any layer.</summary>
    public static IReadOnlyList<string?> FromCaptions(
        IReadOnlyList<FeatureRecord> features,
        IReadOnlyList<RowSource> sources,
        IReadOnlyDictionary<string, IReadOnlyList<string>> captions
    )
    {
        var shares = FeatureNames.ShareOfImages([.. captions.Values]);
        return
        [
            .. features.Select(feature =>
                FeatureNames.FromCaptions(
                    [.. feature.TopImages.Select(top => sources[top.Image].Texts(captions)).Where(texts => texts.Count > 0)],
                    shares
                )
            ),
        ];
    }

    /// <summary>
    /// By the word of the captions whose text embedding the decoder row points to; for the final embeddings, which images and texts share.
    /// </summary>
    public static IReadOnlyList<string?> FromTexts(
        SparseAutoencoder sae,
        ClipInputs clip,
        IReadOnlyDictionary<string, IReadOnlyList<string>> captions
    )
    {
        var words = FeatureNames
            .ShareOfImages([.. captions.Values])
            .Where(word => clip.Holds(word.Key))
            .OrderByDescending(word => word.Value)
            .ThenBy(word => word.Key, StringComparer.Ordinal)
            .Take(Vocabulary)
            .Select(word => word.Key)
            .ToArray();
        if (words.Length < 2)
        {
            return new string?[sae.Latents];
        }

        using var texts = clip.EncodeTexts(words);
        return [.. FeatureNames.FromTexts(sae.DecoderRows, texts.cpu(), words).Select(name => name.Text)];
    }
}
