using ClipSae.AttackCuration.Settings;
using ClipSae.Clip.Model;
using ClipSae.Clip.Tokenizers;
using ClipSae.Datasets;
using ClipSae.Datasets.Drawing;
using ClipSae.Tensors;
using static TorchSharp.torch;

namespace ClipSae.AttackCuration.Words;

/// <summary>The words that may be printed.</summary>
/// <param name="Listed">Those given, or the classes.</param>
/// <param name="Vocabulary">Others that the model's vocabulary has whole.</param>
/// <param name="OtherScript">Others of it with letters of other scripts.</param>
public sealed record WordStock(IReadOnlyList<string> Listed, IReadOnlyList<string> Vocabulary, IReadOnlyList<string> OtherScript)
{
    private const int MaxFrequentWords = 2_000;
    private const int VocabularyWanted = 128;
    private const int OtherScriptWanted = 48;

    /// <summary>Words of the vocabulary and of other scripts.</summary>
    public IEnumerable<string> Others => Vocabulary.Concat(OtherScript);

    /// <summary>Kinds that have words.</summary>
    public IReadOnlyList<WordKind> Kinds =>
        [
            WordKind.Nearest,
            WordKind.Confusing,
            WordKind.Listed,
            .. Vocabulary.Count > 0 ? [WordKind.Vocabulary] : Array.Empty<WordKind>(),
            .. OtherScript.Count > 0 ? [WordKind.OtherScript] : Array.Empty<WordKind>(),
        ];

    /// <summary>The words given alone.</summary>
    public static WordStock Of(IReadOnlyList<string> listed) => new(listed, [], []);

    /// <summary>
    /// Draws words of the vocabulary in addition to those given. None that may say what a class does: of its embedding as text, a class is
    /// nearer to the word than any other class is to that class ("car" for an automobile, "dogs" for a dog).
    /// </summary>
    /// <param name="never">Words kept for evaluation.</param>
    public static WordStock Draw(
        ClipModel model,
        ClipTokenizer tokenizer,
        IReadOnlyList<string> classes,
        IReadOnlyList<string> listed,
        IReadOnlyList<string> never,
        FontCatalogue fonts,
        AttackCurationOptions options
    )
    {
        var taken = classes.Concat(listed).Concat(never).ToHashSet(StringComparer.OrdinalIgnoreCase);
        bool IsFree(string word) =>
            !taken.Contains(word)
            && fonts.CanDraw(word)
            && !options.PromptTemplates.Any(template => template.Contains(word, StringComparison.OrdinalIgnoreCase));
        string[] Drawn(IEnumerable<string> words, string purpose, int count)
        {
            var free = words.Where(IsFree).Take(MaxFrequentWords).ToArray();
            new SeededRandom(options.Seed, purpose).Shuffle(free);
            var some = free.Take(2 * count).ToArray();
            return some.Length == 0 ? [] : [.. Unlike(classes, some, model, tokenizer, options).Take(count)];
        }

        return new WordStock(
            listed,
            Drawn(VocabularyWords.Latin(tokenizer), "vocabulary words", VocabularyWanted),
            Drawn(VocabularyWords.OfOtherScripts(tokenizer), "words of other scripts", OtherScriptWanted)
        );
    }

    private static IEnumerable<string> Unlike(
        IReadOnlyList<string> classes,
        IReadOnlyList<string> words,
        ClipModel model,
        ClipTokenizer tokenizer,
        AttackCurationOptions options
    )
    {
        using var scope = NewDisposeScope();
        using var known = ZeroShotClassifier.Create(model, tokenizer, classes, options.PromptTemplates);
        using var asked = ZeroShotClassifier.Create(model, tokenizer, words, options.PromptTemplates);
        var apart = known.Embeddings.matmul(known.Embeddings.t()) - eye(classes.Count, device: known.Embeddings.device).Times(2);
        var nearestClass = apart.amax(1);
        var isLike = asked.Embeddings.matmul(known.Embeddings.t()).gt(nearestClass.unsqueeze(0)).any(1).cpu().data<bool>().ToArray();
        return words.Where((_, place) => !isLike[place]);
    }
}
