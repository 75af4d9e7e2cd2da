using ClipSae.Contracts;

namespace ClipSae.ZeroShotEvaluation;

/// <summary>
/// What is asked on a set: which texts a model may choose from for each image, which is right, and which is printed. Candidates are the object
/// classes, then the printed words that are none (science, section 8).
/// </summary>
internal sealed class SetQuestion
{
    private SetQuestion(LoadedSet set, IReadOnlyList<string> candidates, IReadOnlyList<EvaluationProblem> problems, int[] rows, EvaluationImage[] images, int[] right, int[] printed)
    {
        Name = set.Name;
        Protocol = set.Protocol;
        Total = set.Total;
        Candidates = candidates;
        Problems = problems;
        Pixels = set.Pixels;
        Rows = rows;
        Images = images;
        Right = right;
        Printed = printed;
    }

    public string Name { get; }

    public EvaluationProtocol Protocol { get; }

    /// <summary>Images of the set, those with problems included.</summary>
    public int Total { get; }

    public IReadOnlyList<string> Candidates { get; }

    public IReadOnlyList<EvaluationProblem> Problems { get; }

    public PixelStore Pixels { get; }

    /// <summary>Row of each image in <see cref="Pixels"/>.</summary>
    public int[] Rows { get; }

    public IReadOnlyList<EvaluationImage> Images { get; }

    /// <summary>Index of the right candidate for each image.</summary>
    public int[] Right { get; }

    /// <summary>Index of the printed word for each image; −1 where none is printed.</summary>
    public int[] Printed { get; }

    /// <summary>The object classes: as given, else the labels of all sets that show objects, in ordinal order.</summary>
    /// <exception cref="UserErrorException">There are fewer than two classes to tell apart.</exception>
    public static IReadOnlyList<string> Classes(IReadOnlyList<string> given, IReadOnlyList<LoadedSet> sets)
    {
        if (given.Count > 0)
        {
            return given;
        }

        var labels = sets.Where(set => set.Protocol is not EvaluationProtocol.Words)
            .SelectMany(set => set.Images).Select(image => image.Label).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToArray();
        var onlyWords = sets.All(set => set.Protocol is EvaluationProtocol.Words);
        return labels.Length != 1 && (labels.Length > 1 || onlyWords)
            ? labels
            : throw new UserErrorException(labels.Length == 0
                ? $"evaluation set {sets[0].Name}: no image has a label, so there are no classes to choose from; name them with evaluation.classes"
                : $"evaluation sets show one class only ('{labels[0]}'), so every answer would be right: add images of other classes, or name the classes to choose from with evaluation.classes");
    }

    /// <summary>Sets up the question; images that it cannot be asked of become problems.</summary>
    /// <exception cref="UserErrorException">No image is left, or more than the allowed share has problems.</exception>
    public static SetQuestion Ask(LoadedSet set, IReadOnlyList<string> classes, double maxProblemShare)
    {
        var index = new Dictionary<string, int>(StringComparer.OrdinalIgnoreCase);
        var candidates = new List<string>();
        void Add(string candidate)
        {
            if (index.TryAdd(candidate, candidates.Count))
            {
                candidates.Add(candidate);
            }
        }

        foreach (var name in classes)
        {
            Add(name);
        }

        var objects = candidates.Count;
        if (set.Protocol is not EvaluationProtocol.Clean)
        {
            foreach (var word in set.Images.Select(image => PrintedOn(image, set.Protocol)).OfType<string>().Order(StringComparer.Ordinal))
            {
                Add(word);
            }
        }

        var problems = set.Problems.ToList();
        var (kept, right, printed) = (new List<int>(), new List<int>(), new List<int>());
        for (var i = 0; i < set.Images.Count; i++)
        {
            var image = set.Images[i];
            var word = PrintedOn(image, set.Protocol) is { } text ? index.GetValueOrDefault(text, -1) : -1;
            var answer = set.Protocol is EvaluationProtocol.Words ? word : index.GetValueOrDefault(image.Label, -1);
            if (Problem(set.Protocol, image, answer, word, objects) is { } reason)
            {
                problems.Add(new EvaluationProblem(image.Id, reason));
                continue;
            }

            kept.Add(i);
            right.Add(answer);
            printed.Add(word);
        }

        Require(set, kept.Count, problems, maxProblemShare);
        return new SetQuestion(
            set, candidates, problems, [.. kept.Select(i => set.Rows[i])], [.. kept.Select(i => set.Images[i])], [.. right], [.. printed]);
    }

    private static string? PrintedOn(EvaluationImage image, EvaluationProtocol protocol) =>
        image.Word ?? (protocol is EvaluationProtocol.Words ? image.Label : null);

    private static string? Problem(EvaluationProtocol protocol, EvaluationImage image, int answer, int word, int objects) => protocol switch
    {
        EvaluationProtocol.Words => null,
        _ when answer < 0 || answer >= objects => $"label '{image.Label}' is not among the classes",
        EvaluationProtocol.Attacked when word < 0 => "no printed word is recorded (attribute word)",
        EvaluationProtocol.Attacked when word == answer => $"the printed word '{image.Word}' names the object, which is no attack",
        _ => null,
    };

    private static void Require(LoadedSet set, int kept, List<EvaluationProblem> problems, double maxProblemShare)
    {
        var first = problems.Count > 0 ? $", first {problems[0].Id}: {problems[0].Reason}" : "";
        if (kept == 0)
        {
            throw new UserErrorException($"evaluation set {set.Name}: none of its {set.Total} images can be scored{first}");
        }

        if (problems.Count > maxProblemShare * set.Total)
        {
            throw new UserErrorException(FormattableString.Invariant(
                $"evaluation set {set.Name}: {problems.Count} of {set.Total} images cannot be scored (evaluation.maxProblemShare is {maxProblemShare}){first}"));
        }
    }
}
