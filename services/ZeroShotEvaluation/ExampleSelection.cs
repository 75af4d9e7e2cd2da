using ClipSae.Datasets;

namespace ClipSae.ZeroShotEvaluation;

/// <summary>Chooses the images that people ask about first: mended, both wrong, made worse; the clearest first, spread over the classes.</summary>
internal static class ExampleSelection
{
    private const int LargestSide = 128;
    private const int Texts = 3;

    /// <param name="question">The set.</param>
    /// <param name="before">The base's probabilities, [images, candidates] row-major.</param>
    /// <param name="after">The tuned model's.</param>
    /// <param name="count">Images of each kind.</param>
    public static IEnumerable<Example> Choose(
        SetQuestion question, (SetAnswers Answers, float[] Probabilities) before, (SetAnswers Answers, float[] Probabilities) after, int resolution, int count)
    {
        var width = question.Candidates.Count;
        foreach (var kind in Enum.GetValues<ExampleKind>())
        {
            var images = Enumerable.Range(0, question.Rows.Length)
                .Where(image => KindOf(before.Answers.Right[image] > 0, after.Answers.Right[image] > 0) == kind)
                .OrderByDescending(image => Clearness(image)).ThenBy(image => question.Images[image].Id, StringComparer.Ordinal);
            foreach (var image in Spread(images, image => question.Right[image]).Take(count))
            {
                yield return Show(question, image, kind, Row(before.Probabilities, image), Row(after.Probabilities, image), resolution);
            }
        }

        // How sure the two models are of answers that make the image what it is.
        double Clearness(int image) => Row(before.Probabilities, image)[before.Answers.Chosen[image]] + Row(after.Probabilities, image)[after.Answers.Chosen[image]];
        float[] Row(float[] probabilities, int image) => probabilities[(image * width)..((image + 1) * width)];
    }

    private static ExampleKind? KindOf(bool before, bool after) => (before, after) switch
    {
        (false, true) => ExampleKind.Mended,
        (false, false) => ExampleKind.BothWrong,
        (true, false) => ExampleKind.Worse,
        _ => null,
    };

    // One of each class in turn, so that a class with many clear cases does not fill the page.
    private static IEnumerable<int> Spread(IEnumerable<int> images, Func<int, int> classOf) =>
        images.GroupBy(classOf).SelectMany(group => group.Select((image, turn) => (image, turn))).OrderBy(entry => entry.turn).Select(entry => entry.image);

    private static Example Show(SetQuestion question, int image, ExampleKind kind, float[] before, float[] after, int resolution)
    {
        var levels = new byte[question.Pixels.ImageBytes];
        question.Pixels.Read([question.Rows[image]], levels);
        var shown = question.Printed[image] < 0 ? new HashSet<int> { question.Right[image] } : [question.Right[image], question.Printed[image]];
        shown.UnionWith(Likeliest(before));
        shown.UnionWith(Likeliest(after));
        int[] columns = [.. shown.OrderByDescending(column => before[column] + after[column]).ThenBy(column => column)];
        return new Example(
            question.Name,
            question.Images[image].Id,
            kind,
            question.Candidates[question.Right[image]],
            question.Printed[image] < 0 ? null : question.Candidates[question.Printed[image]],
            PngEncoder.Encode(PixelLevels.ToPicture(levels, resolution, LargestSide)),
            Candidates(before),
            Candidates(after));

        Candidate[] Candidates(float[] row) => [.. columns.Select(column => new Candidate(question.Candidates[column], Math.Round(row[column], 4)))];
    }

    private static IEnumerable<int> Likeliest(float[] row) => Enumerable.Range(0, row.Length).OrderByDescending(column => row[column]).ThenBy(column => column).Take(Texts);
}
