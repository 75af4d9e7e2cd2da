using System.Globalization;
using ClipSae.Clip.Preprocessing;
using ClipSae.ZeroShotEvaluation.Settings;

namespace ClipSae.ZeroShotEvaluation.Sets;

/// <summary>
/// All sets with what is asked on them and their pixels. Which images can be read is known once the first model has seen them.
/// </summary>
internal sealed class EvaluationSets : IDisposable
{
    private readonly SetQuestion[] _questions;
    private readonly RetrievalQuestion[] _retrievals;
    private readonly Dictionary<string, SetPixels> _pixels;
    private readonly double _maxProblemShare;
    private readonly HashSet<string> _settled = new(StringComparer.Ordinal);

    private EvaluationSets(
        SetQuestion[] questions,
        RetrievalQuestion[] retrievals,
        Dictionary<string, SetPixels> pixels,
        IReadOnlyList<string> classes,
        double maxProblemShare
    )
    {
        _questions = questions;
        _retrievals = retrievals;
        _pixels = pixels;
        _maxProblemShare = maxProblemShare;
        Classes = classes;
        Images = All.Sum(set => (long)set.Images.Count);
        Texts = [.. questions.SelectMany(question => question.Texts).Distinct(StringComparer.Ordinal)];
    }

    /// <summary>Sets of objects and words.</summary>
    public IReadOnlyList<SetQuestion> Questions => _questions;

    /// <summary>Sets of captioned images.</summary>
    public IReadOnlyList<RetrievalQuestion> Retrievals => _retrievals;

    /// <summary>The object classes of all sets.</summary>
    public IReadOnlyList<string> Classes { get; }

    /// <summary>Class names and words of all sets of objects and words.</summary>
    public IReadOnlyList<string> Texts { get; }

    /// <summary>Images to embed.</summary>
    public long Images { get; }

    private IEnumerable<SetImages> All => _questions.Select(question => question.Set).Concat(_retrievals.Select(question => question.Set));

    /// <summary>Lists the sets and asks.</summary>
    /// <param name="scratch">Where pixels are kept for further models; null if there is none.</param>
    /// <exception cref="UserErrorException">A set cannot be used.</exception>
    public static EvaluationSets Of(
        IReadOnlyList<EvaluationSet> sets,
        EvaluationOptions options,
        ImagePreparation preparation,
        string? scratch,
        CancellationToken cancel
    )
    {
        var listed = sets.Select(set => LabelCodes.Named(SetListing.Read(set, cancel), options)).ToArray();
        var objects = listed.Where(set => set.Protocol is not EvaluationProtocol.Retrieval).ToArray();
        var classes = SetQuestion.ClassesOf(options.Classes, objects);
        var questions = objects.Select(set => SetQuestion.Ask(set, classes[set.Name])).ToArray();
        var retrievals = listed.Where(set => set.Protocol is EvaluationProtocol.Retrieval).Select(RetrievalQuestion.Ask).ToArray();
        var pixels = questions
            .Select(question => question.Set)
            .Concat(retrievals.Select(question => question.Set))
            .ToDictionary(
                set => set.Name,
                set => new SetPixels(
                    set,
                    preparation,
                    options.BatchSize,
                    scratch is null
                        ? null
                        : new PixelStore(
                            3 * preparation.Resolution * preparation.Resolution,
                            ((long)options.PixelMemory << 20) / listed.Length,
                            scratch
                        )
                ),
                StringComparer.Ordinal
            );
        string[] names =
        [
            .. objects
                .OrderBy(set => EvaluationProtocol.SharesClasses(set.Name) ? 0 : 1)
                .SelectMany(set => classes[set.Name])
                .Distinct(StringComparer.Ordinal),
        ];
        var asked = new EvaluationSets(questions, retrievals, pixels, names, options.MaxProblemShare);
        foreach (var set in asked.All)
        {
            asked.RequireEnough(set);
        }

        return asked;
    }

    public SetPixels Pixels(string set) => _pixels[set];

    /// <summary>Texts to embed: all classes and words together, then the captions of each set.</summary>
    public IReadOnlyList<TextRequest> Requests(IReadOnlyList<string> templates) =>
        [new TextRequest(Texts, templates, MayCut: false), .. _retrievals.Select(question => TextRequest.Captions(question.Captions))];

    /// <summary>Sets the unreadable images of a set aside, after the first pass over it; later calls change nothing.</summary>
    /// <exception cref="UserErrorException">No image is left, or more than the allowed share has problems.</exception>
    public void Settle(string set)
    {
        var unreadable = _pixels[set].Unreadable;
        if (!_settled.Add(set) || unreadable.Count == 0)
        {
            return;
        }

        for (var i = 0; i < _questions.Length; i++)
        {
            _questions[i] = _questions[i].Name == set ? _questions[i].Without(unreadable) : _questions[i];
        }

        for (var i = 0; i < _retrievals.Length; i++)
        {
            _retrievals[i] = _retrievals[i].Name == set ? _retrievals[i].Without(unreadable) : _retrievals[i];
        }

        RequireEnough(All.Single(images => images.Name == set));
    }

    public void Dispose()
    {
        foreach (var pixels in _pixels.Values)
        {
            pixels.Dispose();
        }
    }

    private void RequireEnough(SetImages set)
    {
        var problems = set.OrderedProblems;
        var first = problems.Count > 0 ? $", first {problems[0].Id}: {problems[0].Reason}" : "";
        UserErrorException.ThrowIf(
            set.Images.Count == 0,
            $"evaluation set {set.Name}: none of its {set.Total} images can be scored{first}"
        );

        if (problems.Count > _maxProblemShare * set.Total)
        {
            throw new UserErrorException(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"evaluation set {set.Name}: {problems.Count} of {set.Total} images cannot be scored "
                        + $"(evaluation.maxProblemShare is {_maxProblemShare}){first}"
                )
            );
        }
    }
}
