using ClipSae.Results.Evaluation;

namespace ClipSae.ZeroShotEvaluation.Sets;

/// <summary>The images of a set that are to be scored, and those that cannot be.</summary>
/// <param name="Name">Name of the set.</param>
/// <param name="Protocol">What is asked on it.</param>
/// <param name="Shards">Paths of its data set shards.</param>
/// <param name="Images">Images to score, in the order of the set.</param>
/// <param name="Rows">Place of each image in the set, ascending.</param>
/// <param name="Choices">The classes that the set itself prescribes (MVT's fifty), or null.</param>
/// <param name="Total">Images in the set, those with problems included.</param>
/// <param name="Problems">Images that were set aside, by their place in the set.</param>
/// <param name="Imported">Rows of the source that never became images of the set.</param>
internal sealed record SetImages(
    string Name,
    EvaluationProtocol Protocol,
    IReadOnlyList<string> Shards,
    IReadOnlyList<EvaluationImage> Images,
    int[] Rows,
    IReadOnlyList<string>? Choices,
    int Total,
    IReadOnlyDictionary<int, EvaluationProblem> Problems,
    IReadOnlyList<EvaluationProblem> Imported
)
{
    /// <summary>Problems in the order of the set.</summary>
    public IReadOnlyList<EvaluationProblem> OrderedProblems =>
        [.. Problems.OrderBy(problem => problem.Key).Select(problem => problem.Value)];

    /// <summary>Those of the source and then those of the set.</summary>
    public IReadOnlyList<EvaluationProblem> AllProblems => [.. Imported, .. OrderedProblems];

    /// <summary>The words that the images show, each once, ordinal order.</summary>
    public IReadOnlyList<string> Words =>
        Distinct(
            Protocol switch
            {
                EvaluationProtocol.Attacked => Images.Select(image => image.Word),
                EvaluationProtocol.Words => Images.Select(image => image.Label),
                _ => [],
            }
        );

    /// <summary>The faces of these words.</summary>
    public IReadOnlyList<string> Fonts => Words.Count == 0 ? [] : Distinct(Images.Select(image => image.Font));

    /// <summary>Sets images aside.</summary>
    /// <param name="reasons">Why, by the image's index in <see cref="Images"/>.</param>
    public SetImages Without(IReadOnlyDictionary<int, string> reasons)
    {
        int[] kept = [.. Enumerable.Range(0, Images.Count).Where(image => !reasons.ContainsKey(image))];
        var problems = Problems.ToDictionary();
        foreach (var (image, reason) in reasons)
        {
            problems[Rows[image]] = new EvaluationProblem(Images[image].Id, reason);
        }

        return this with
        {
            Images = [.. kept.Select(image => Images[image])],
            Rows = [.. kept.Select(image => Rows[image])],
            Problems = problems,
        };
    }

    private static IReadOnlyList<string> Distinct(IEnumerable<string?> texts) =>
        [.. texts.OfType<string>().Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
}
