namespace ClipSae.Clip.Tokenizers;

/// <summary>
/// Words that are one token of a vocabulary: those that the texts it was made of had most. A model has seen them often enough to know them.
/// </summary>
public static class VocabularyWords
{
    private const int ShortestLatin = 3;
    private const int ShortestOther = 2;

    /// <summary>Words of letters a to z, at least three, the most frequent first.</summary>
    public static IEnumerable<string> Latin(ClipTokenizer tokenizer) =>
        tokenizer.Words.Where(word => word.Length >= ShortestLatin && word.All(char.IsAsciiLetter));

    /// <summary>
    /// Words with other letters, the most frequent first: of scripts whose letters stand side by side as they are (accented Latin, Greek,
    /// Cyrillic, Chinese, Japanese, Korean). Arabic, Hebrew and Indic letters change with their neighbours, which is not drawn here.
    /// </summary>
    public static IEnumerable<string> OfOtherScripts(ClipTokenizer tokenizer) =>
        tokenizer.Words.Where(word =>
            word.Length >= ShortestOther
            && word.All(char.IsLetter)
            && word.Any(letter => !char.IsAsciiLetter(letter))
            && word.All(IsDrawnAsItIs)
        );

    private static bool IsDrawnAsItIs(char letter) =>
        letter is < '\u0590' or (>= '\u3040' and < '\u3100') or (>= '\u4E00' and < '\uA000') or (>= '\uAC00' and < '\uD7B0');
}
