namespace ClipSae.SaeTraining;

/// <summary>What rows of activations come from.</summary>
/// <param name="Id">The image.</param>
/// <param name="Caption">Place of one of its captions, where the rows are a text's; null where they are the image's.</param>
public sealed record RowSource(string Id, int? Caption)
{
    /// <summary>The texts that say what it shows, or the text that it is.</summary>
    /// <param name="captions">Captions by id.</param>
    public IReadOnlyList<string> Texts(IReadOnlyDictionary<string, IReadOnlyList<string>> captions) =>
        captions.GetValueOrDefault(Id) switch
        {
            null => [],
            var all when Caption is { } place => place < all.Count ? [all[place]] : [],
            var all => all,
        };

    /// <summary>The text that it is; null where it is an image, or not known.</summary>
    /// <param name="captions">Captions by id.</param>
    public string? Text(IReadOnlyDictionary<string, IReadOnlyList<string>> captions) =>
        Caption is null ? null : Texts(captions).FirstOrDefault();
}
