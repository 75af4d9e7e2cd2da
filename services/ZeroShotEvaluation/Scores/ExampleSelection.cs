using ClipSae.Imaging.Decoding;
using ClipSae.Results.Evaluation;
using ClipSae.ZeroShotEvaluation.Models;
using ClipSae.ZeroShotEvaluation.Sets;

namespace ClipSae.ZeroShotEvaluation.Scores;

/// <summary>
/// Chooses the images that people ask about first: fixed, all wrong, made worse; the clearest first, spread over the classes.
/// </summary>
internal static class ExampleSelection
{
    private const int MaxSide = 128;
    private const int Texts = 3;

    /// <param name="question">The set.</param>
    /// <param name="pixels">Its pictures.</param>
    /// <param name="runs">The models to show, the base first.</param>
    /// <param name="count">Images of each kind.</param>
    public static IEnumerable<Example> Choose(
        SetQuestion question,
        SetPixels pixels,
        IReadOnlyList<ModelRun> runs,
        int resolution,
        int count
    )
    {
        var answers = runs.Select(run => run.Answers[question.Name]).ToArray();
        foreach (var kind in Enum.GetValues<ExampleKind>())
        {
            // How sure the models are of answers that make the image what it is.
            var images = Enumerable
                .Range(0, question.Right.Length)
                .Where(image => KindOf(answers, image) == kind)
                .OrderByDescending(image => answers.Sum(answer => (double)answer.Confidence[image]))
                .ThenBy(image => question.Set.Images[image].Id, StringComparer.Ordinal);
            foreach (var image in Spread(images, image => question.Right[image]).Take(count))
            {
                yield return Show(question, pixels, image, kind, runs, resolution);
            }
        }
    }

    private static ExampleKind? KindOf(SetAnswers[] answers, int image)
    {
        var isRight = answers.Select(answer => answer.Right[image] > 0).ToArray();
        return (isRight[0], isRight.Skip(1).Any(right => right), isRight.Skip(1).All(right => right)) switch
        {
            (false, true, _) => ExampleKind.Mended,
            (false, false, _) => ExampleKind.BothWrong,
            (true, _, false) => ExampleKind.Worse,
            _ => null,
        };
    }

    // One of each class in turn, so that a class with many clear cases does not fill the page.
    private static IEnumerable<int> Spread(IEnumerable<int> images, Func<int, int> classOf) =>
        images
            .GroupBy(classOf)
            .SelectMany(group => group.Select((image, turn) => (image, turn)))
            .OrderBy(entry => entry.turn)
            .Select(entry => entry.image);

    private static Example Show(
        SetQuestion question,
        SetPixels pixels,
        int image,
        ExampleKind kind,
        IReadOnlyList<ModelRun> runs,
        int resolution
    )
    {
        var rows = runs.Select(run => (Model: run.Model.Name, Row: run.Features[question.Name].Probabilities(image))).ToArray();
        var shown =
            question.Printed[image] < 0 ? new HashSet<int> { question.Right[image] } : [question.Right[image], question.Printed[image]];
        shown.UnionWith(rows.SelectMany(row => Likeliest(row.Row)));
        int[] columns = [.. shown.OrderByDescending(column => rows.Sum(row => (double)row.Row[column])).ThenBy(column => column)];
        return new Example(
            question.Name,
            question.Set.Images[image].Id,
            kind,
            question.Candidates[question.Right[image]],
            question.Printed[image] < 0 ? null : question.Candidates[question.Printed[image]],
            PngEncoder.Encode(PixelLevels.ToImage(pixels.Levels(image), resolution, MaxSide)),
            [
                .. rows.Select(row => new ExampleAnswer(
                    row.Model,
                    [.. columns.Select(column => new Candidate(question.Candidates[column], Math.Round(row.Row[column], 4)))]
                )),
            ]
        );
    }

    private static IEnumerable<int> Likeliest(float[] row) =>
        Enumerable.Range(0, row.Length).OrderByDescending(column => row[column]).ThenBy(column => column).Take(Texts);
}
