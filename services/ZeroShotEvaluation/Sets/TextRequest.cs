namespace ClipSae.ZeroShotEvaluation.Sets;

/// <summary>Texts to embed.</summary>
/// <param name="Names">Class names or captions, one row each.</param>
/// <param name="Templates">Prompts in which <c>{}</c> is the name; their normalised embeddings are averaged and normalised again (CLIP,
/// section 3.1.4).</param>
/// <param name="MayCut">Whether a text beyond the model's context is cut, as for captions, or refused, as for class names.</param>
internal sealed record TextRequest(IReadOnlyList<string> Names, IReadOnlyList<string> Templates, bool MayCut)
{
    /// <summary>Captions as they are.</summary>
    public static TextRequest Captions(IReadOnlyList<string> captions) => new(captions, ["{}"], MayCut: true);
}
