using ClipSae.AttackCuration.Images;
using ClipSae.Clip.Model;
using ClipSae.Datasets;
using static TorchSharp.torch;

namespace ClipSae.AttackCuration.Words;

/// <summary>Chooses wrong words for pictures, and judges whether a printed word fooled the model.</summary>
/// <param name="classifier">Its names are the classes, the words given, and then all others of the stock.</param>
/// <param name="stock">What may be printed.</param>
/// <param name="decided">How many names, from the first, a picture may be taken for: the classes and the words given. A word beyond them is
/// judged next to them alone.</param>
/// <param name="weights">How often each kind is drawn; null draws the three kinds of given words alike.</param>
public sealed class WordChooser(
    ZeroShotClassifier classifier,
    WordStock stock,
    int decided,
    IReadOnlyDictionary<WordKind, double>? weights = null
)
{
    private readonly IReadOnlyDictionary<string, int> _column = classifier
        .Names.Select((name, index) => (name, index))
        .ToDictionary(c => c.name, c => c.index, StringComparer.Ordinal);

    private float[,]? _similarity;

    /// <summary>The words given that are not true of a picture.</summary>
    public IReadOnlyList<string> WrongOn(ImageSource source) => [.. stock.Listed.Where(source.IsWrong)];

    /// <summary>Column of a name among the classifier's.</summary>
    public int ColumnOf(string name) => _column[name];

    /// <summary>Draws a kind.</summary>
    public WordKind Kind(SeededRandom random)
    {
        if (weights is null)
        {
            return (WordKind)random.Next(3);
        }

        var at = random.NextDouble() * weights.Values.Sum();
        foreach (var kind in stock.Kinds)
        {
            at -= weights.GetValueOrDefault(kind);
            if (at < 0)
            {
                return kind;
            }
        }

        return stock.Kinds[^1];
    }

    /// <summary>A wrong word of a kind.</summary>
    /// <param name="clean">The classifier's logits of the picture without print.</param>
    /// <param name="wrong">Words given that are not true of it.</param>
    /// <param name="used">Words that it has had; they are taken again where no other is left.</param>
    public string Choose(
        WordKind kind,
        ImageSource source,
        float[] clean,
        IReadOnlyList<string> wrong,
        ICollection<string> used,
        SeededRandom random
    )
    {
        IReadOnlyList<string> Free(IReadOnlyList<string> words) =>
            words.Where(w => !used.Contains(w)).ToArray() is { Length: > 0 } others ? others : words;
        var others =
            kind is WordKind.Vocabulary ? stock.Vocabulary
            : kind is WordKind.OtherScript ? stock.OtherScript
            : [];
        if (others.Where(source.IsWrong).ToArray() is { Length: > 0 } ofKind)
        {
            return random.Pick(Free(ofKind));
        }

        var free = Free(wrong);
        return kind switch
        {
            WordKind.Nearest => free.MaxBy(w => Similarity[_column[source.Label], _column[w]])!,
            WordKind.Confusing => free.MaxBy(w => clean[_column[w]])!,
            _ => random.Pick(free),
        };
    }

    /// <summary>Whether the printed word wins over every class and given word.</summary>
    public bool IsFooled(float[] logits, string word) => logits[_column[word]] >= Highest(logits);

    /// <summary>Whether the class wins over every other and over the given words.</summary>
    public bool IsRight(float[] logits, string label) => logits[_column[label]] >= Highest(logits);

    private float[,] Similarity => _similarity ??= Cosines();

    private float Highest(float[] logits)
    {
        var highest = logits[0];
        for (var name = 1; name < decided; name++)
        {
            highest = Math.Max(highest, logits[name]);
        }

        return highest;
    }

    private float[,] Cosines()
    {
        using var scope = NewDisposeScope();
        var flat = classifier.Embeddings.matmul(classifier.Embeddings.t()).cpu().data<float>().ToArray();
        var n = classifier.Names.Count;
        var square = new float[n, n];
        Buffer.BlockCopy(flat, 0, square, 0, flat.Length * sizeof(float));
        return square;
    }
}
