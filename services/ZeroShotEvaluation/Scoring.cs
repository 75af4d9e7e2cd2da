namespace ClipSae.ZeroShotEvaluation;

/// <summary>From answers to figures: all models of a set share the bootstrap's samples, so that differences are paired.</summary>
internal static class Scoring
{
    /// <summary>Figures of each model on a set, the first model being the base.</summary>
    public static IReadOnlyList<SetScores> Score(SetQuestion question, IReadOnlyList<SetAnswers> models, int resamples, long seed)
    {
        var columns = new List<float[]>();
        var places = new List<Dictionary<string, int>>();
        foreach (var (answers, index) in models.Select((answers, index) => (answers, index)))
        {
            var place = new Dictionary<string, int>(StringComparer.Ordinal);
            void Add(string figure, float[]? values)
            {
                if (values is not null)
                {
                    place[figure] = columns.Count;
                    columns.Add(values);
                }
            }

            Add("accuracy", answers.Right);
            Add("fooled", answers.Fooled);
            Add("binary", answers.BinaryRight);
            Add("margin", answers.Margin);
            if (index > 0)
            {
                Add("accuracyGain", Less(answers.Right, models[0].Right));
                Add("fooledGain", answers.Fooled is null ? null : Less(answers.Fooled, models[0].Fooled!));
            }

            places.Add(place);
        }

        var intervals = Bootstrap.Intervals(columns, resamples, seed);
        return [.. models.Select((answers, index) => Score(question, models[0], answers, places[index], intervals))];
    }

    private static SetScores Score(
        SetQuestion question, SetAnswers reference, SetAnswers answers, Dictionary<string, int> places, IReadOnlyList<Interval> intervals)
    {
        Interval? Figure(string name) => places.TryGetValue(name, out var place) ? intervals[place] : null;
        var perClass = PerClass(question, answers);
        var against = Figure("accuracyGain") is { } gain
            ? new Comparison(gain, Figure("fooledGain"), McNemar.Compare(IsRight(reference), IsRight(answers)))
            : null;
        return new SetScores(
            Figure("accuracy")!, perClass.Average(score => score.Accuracy), Figure("fooled"), Figure("binary"), Figure("margin"), against, perClass);
    }

    private static ClassScore[] PerClass(SetQuestion question, SetAnswers answers) =>
        [.. Enumerable.Range(0, question.Rows.Length)
            .GroupBy(image => question.Right[image])
            .OrderBy(group => group.Key)
            .Select(group => new ClassScore(question.Candidates[group.Key], group.Count(), group.Average(image => answers.Right[image])))];

    private static bool[] IsRight(SetAnswers answers) => [.. answers.Right.Select(value => value > 0)];

    private static float[] Less(float[] values, float[] reference) => [.. values.Zip(reference, (value, other) => value - other)];
}
