using ClipSae.Datasets.Sources;

namespace ClipSae.ZeroShotEvaluation.Sets;

/// <summary>
/// What is asked on a set: which texts a model may choose from for each image, which is right, which is printed, and which word is the
/// object's rival. Candidates are the object classes, then the printed words that are none (science, section 8).
/// </summary>
internal sealed record SetQuestion
{
    private SetQuestion(SetImages set, IReadOnlyList<string> texts, int choices, int classes, int[] right, int[] printed, int[]? rival)
    {
        Set = set;
        Texts = texts;
        Candidates = [.. texts.Take(choices)];
        Classes = classes;
        Right = right;
        Printed = printed;
        Rival = rival;
    }

    public SetImages Set { get; private init; }

    public string Name => Set.Name;

    /// <summary>Texts to embed: the candidates, then rivals that are no candidates.</summary>
    public IReadOnlyList<string> Texts { get; }

    /// <summary>Texts that a model chooses from.</summary>
    public IReadOnlyList<string> Candidates { get; }

    /// <summary>How many of the candidates are object classes; they come first.</summary>
    public int Classes { get; }

    /// <summary>Index of the right candidate for each image.</summary>
    public int[] Right { get; private init; }

    /// <summary>Index of the printed word for each image; −1 where none is printed.</summary>
    public int[] Printed { get; private init; }

    /// <summary>Index among the texts of the word that the object is weighed against; null where the set has no such words.</summary>
    public int[]? Rival { get; private init; }

    /// <summary>
    /// The object classes of each set: as given, else what the set prescribes, else the labels, in ordinal order: of all sets called clean,
    /// attacked or words together, of any other set its own.
    /// </summary>
    /// <exception cref="UserErrorException">There are fewer than two classes to distinguish.</exception>
    public static IReadOnlyDictionary<string, IReadOnlyList<string>> ClassesOf(IReadOnlyList<string> given, IReadOnlyList<SetImages> sets)
    {
        var shared = sets.Where(set => EvaluationProtocol.SharesClasses(set.Name) && set.Choices is null).ToArray();
        return sets.ToDictionary(
            set => set.Name,
            set => set.Choices ?? (given.Count > 0 ? given : Labels(EvaluationProtocol.SharesClasses(set.Name) ? shared : [set])),
            StringComparer.Ordinal
        );
    }

    /// <summary>Sets up the question; images that it cannot be asked of become problems.</summary>
    public static SetQuestion Ask(SetImages set, IReadOnlyList<string> classes)
    {
        var index = new Dictionary<string, int>(StringComparer.OrdinalIgnoreCase);
        var texts = new List<string>();
        void Add(IEnumerable<string> names)
        {
            foreach (var name in names)
            {
                if (index.TryAdd(name, texts.Count))
                {
                    texts.Add(name);
                }
            }
        }

        Add(classes);
        var objects = texts.Count;
        if (set.Protocol is not EvaluationProtocol.Clean)
        {
            Add(set.Images.Select(image => PrintedOn(image, set.Protocol)).OfType<string>().Order(StringComparer.Ordinal));
        }

        var choices = texts.Count;
        var reasons = new Dictionary<int, string>();
        for (var i = 0; i < set.Images.Count; i++)
        {
            if (Problem(set, set.Images[i], index, objects) is { } reason)
            {
                reasons[i] = reason;
            }
        }

        var kept = set.Without(reasons);
        var hasRivals =
            set.Protocol is EvaluationProtocol.Attacked
            || (
                set.Protocol is EvaluationProtocol.Clean
                && kept.Images.Count > 0
                && kept.Images.All(image => image.Word is not null && !Same(image.Word, image.Label))
            );
        if (hasRivals)
        {
            Add(kept.Images.Select(image => image.Word!).Order(StringComparer.Ordinal));
        }

        int[] right =
        [
            .. kept.Images.Select(image => index[set.Protocol is EvaluationProtocol.Words ? PrintedOn(image, set.Protocol)! : image.Label]),
        ];
        int[] printed =
        [
            .. kept.Images.Select(image =>
                set.Protocol is not EvaluationProtocol.Clean && PrintedOn(image, set.Protocol) is { } word ? index[word] : -1
            ),
        ];
        return new SetQuestion(
            kept,
            texts,
            choices,
            objects,
            right,
            printed,
            hasRivals ? [.. kept.Images.Select(image => index[image.Word!])] : null
        );
    }

    /// <summary>Sets images aside.</summary>
    /// <param name="reasons">Why, by the image's index.</param>
    public SetQuestion Without(IReadOnlyDictionary<int, string> reasons)
    {
        int[] kept = [.. Enumerable.Range(0, Right.Length).Where(image => !reasons.ContainsKey(image))];
        return this with
        {
            Set = Set.Without(reasons),
            Right = [.. kept.Select(image => Right[image])],
            Printed = [.. kept.Select(image => Printed[image])],
            Rival = Rival is null ? null : [.. kept.Select(image => Rival[image])],
        };
    }

    private static string[] Labels(IReadOnlyList<SetImages> sets)
    {
        var labels = sets.Where(set => set.Protocol is not EvaluationProtocol.Words)
            .SelectMany(set => set.Images)
            .Select(image => image.Label)
            .Distinct(StringComparer.Ordinal)
            .Order(StringComparer.Ordinal)
            .ToArray();
        var onlyWords = sets.All(set => set.Protocol is EvaluationProtocol.Words);
        return labels.Length != 1 && (labels.Length > 1 || onlyWords)
            ? labels
            : throw new UnsuitableDatasetException(
                labels.Length == 0
                    ? $"evaluation set {sets[0].Name}: no image has a label, so there are no classes to choose from; "
                        + "name them with evaluation.classes"
                    : $"evaluation set{(sets.Count == 1 ? "" : "s")} {string.Join(", ", sets.Select(set => set.Name))}: "
                        + $"one class only ('{labels[0]}'), so every answer would be right: "
                        + "add images of other classes, or name the classes to choose from with evaluation.classes"
            );
    }

    private static string? PrintedOn(EvaluationImage image, EvaluationProtocol protocol) =>
        image.Word ?? (protocol is EvaluationProtocol.Words ? image.Label : null);

    private static bool Same(string a, string b) => string.Equals(a, b, StringComparison.OrdinalIgnoreCase);

    private static string? Problem(SetImages set, EvaluationImage image, Dictionary<string, int> index, int objects) =>
        set.Protocol switch
        {
            EvaluationProtocol.Words => null,
            _ when !index.TryGetValue(image.Label, out var answer) || answer >= objects =>
                $"label '{image.Label}' is not among the classes",
            EvaluationProtocol.Attacked when image.Word is null => "no printed word is recorded (attribute word)",
            EvaluationProtocol.Attacked when Same(image.Word, image.Label) =>
                $"the printed word '{image.Word}' names the object, which is no attack",
            _ => null,
        };
}
