using ClipSae.Datasets.World;
using ClipSae.Results.Evaluation;

namespace ClipSae.Reporting.Tests;

/// <summary>Made-up figures and answers of an evaluation.</summary>
internal static class SampleEvaluation
{
    public static EvaluationResults Results(IReadOnlyList<string> names)
    {
        ModelScores[] tuned =
        [
            .. names.Select(
                (arm, index) =>
                {
                    var attacked = 0.955 - 0.012 * index + (arm == "penalise" ? 0.028 : 0);
                    return Model(
                        arm + ".s0",
                        arm,
                        0.91 + (arm == "penalise" ? 0.04 : 0.002 * index),
                        0.941 - 0.002 * index,
                        attacked,
                        0.5 * (1 - attacked),
                        0.71
                    );
                }
            ),
        ];
        var arms = tuned.Select(model => new ArmScores(
            model.Arm!,
            model.Arm!.EndsWith("-random", StringComparison.Ordinal),
            [0],
            model.Validation,
            model.Sets.ToDictionary(
                set => set.Key,
                set => new ArmSetScores(
                    set.Value.Accuracy,
                    set.Value.AttackSuccess,
                    set.Value.BinaryAccuracy,
                    names.Contains(model.Arm + "-random") ? Contrast(1, model.Arm == "penalise" ? 0.031 : 0.004) : null
                )
            )
        ));
        return new EvaluationResults(
            "base",
            "penalise.s0",
            WorldVocabulary.Objects,
            ["a photo of a {}"],
            2000,
            0,
            null,
            [.. new[] { "attacked", "attacked-heldout", "clean", "words", "words-heldout" }.Select(Set)],
            [Model("base", null, null, 0.946, 0.154, 0.689, 0.948), .. tuned],
            [.. arms]
        );
    }

    /// <summary>An arm less its control.</summary>
    public static ArmContrast Contrast(int seeds, double gain, double half = 0.012) =>
        new(seeds, Interval(gain, half), null, seeds > 1 ? null : new McNemar(11, 36, 0.0004));

    public static Interval Interval(double value, double half = 0.018) => new(value, Math.Max(-1, value - half), Math.Min(1, value + half));

    /// <summary>Results with one model's figures on some sets changed.</summary>
    public static EvaluationResults With(this EvaluationResults results, string model, Func<string, SetScores, SetScores> change) =>
        results.With(model, scores => scores with { Sets = scores.Sets.ToDictionary(set => set.Key, set => change(set.Key, set.Value)) });

    /// <summary>Results with one model changed.</summary>
    public static EvaluationResults With(this EvaluationResults results, string model, Func<ModelScores, ModelScores> change) =>
        results with
        {
            Models = [.. results.Models.Select(scores => scores.Name == model ? change(scores) : scores)],
        };

    /// <summary>Results with one set's description changed.</summary>
    public static EvaluationResults With(this EvaluationResults results, string set, Func<SetSummary, SetSummary> change) =>
        results with
        {
            Sets = [.. results.Sets.Select(summary => summary.Name == set ? change(summary) : summary)],
        };

    public static IEnumerable<Example> Examples() =>
        SampleRun
            .Pictures("attacked-heldout", 18)
            .Select(
                (picture, index) =>
                {
                    var (label, word) = (picture.Item.Label!, picture.Item.Attributes!["word"]!.GetValue<string>());
                    var kind =
                        index < 10 ? ExampleKind.Mended
                        : index < 14 ? ExampleKind.BothWrong
                        : ExampleKind.Worse;
                    var (right, wrong) = (0.02 + 0.003 * index, 0.96 - 0.01 * index);
                    return new Example(
                        index % 3 == 0 ? "attacked" : "attacked-heldout",
                        picture.Item.Id,
                        kind,
                        label,
                        word,
                        picture.Png.ToArray(),
                        [
                            new ExampleAnswer(
                                "base",
                                Candidates(kind == ExampleKind.Worse ? wrong : right, kind == ExampleKind.Worse ? right : wrong)
                            ),
                            new ExampleAnswer(
                                "penalise.s0",
                                Candidates(kind == ExampleKind.Mended ? wrong : right, kind == ExampleKind.Mended ? right : wrong)
                            ),
                        ]
                    );

                    Candidate[] Candidates(double ofLabel, double ofWord) =>
                        [new(word, ofWord), new(label, ofLabel), new("umbrella", 0.011), new("pineapple", 0.0003)];
                }
            );

    private static SetSummary Set(string name)
    {
        string[] words = name.EndsWith("heldout", StringComparison.Ordinal) ? ["abacus", "zither"] : [.. WorldVocabulary.Objects.Take(6)];
        string[] fonts = name.EndsWith("heldout", StringComparison.Ordinal) ? ["Liberation Mono"] : ["DejaVu Sans Bold", "DejaVu Serif"];
        var isPrinted = name != "clean";
        return new SetSummary(
            name,
            name.Split('-')[0],
            799,
            800,
            WorldVocabulary.Objects.Count,
            WorldVocabulary.Objects,
            0,
            isPrinted ? words : [],
            isPrinted ? fonts : [],
            [new EvaluationProblem("images/00004.png", "unreadable: truncated")]
        );
    }

    private static ModelScores Model(
        string name,
        string? arm,
        double? validation,
        double clean,
        double attacked,
        double fooled,
        double words
    )
    {
        SetScores Scores(double accuracy, double? success) =>
            new(
                Interval(accuracy),
                Interval(accuracy),
                success is { } rate ? Interval(rate) : null,
                success is null ? null : Interval(Math.Min(1, accuracy + 0.02)),
                success is null ? null : Interval((accuracy - 0.4) / 4, 0.006),
                new Calibration(15, Interval(0.041), Interval(0.21), Interval(0.093)),
                Interval(0.82),
                null,
                arm is null
                    ? null
                    : new Comparison(
                        Interval(accuracy - (success is null ? 0.946 : 0.154), 0.012),
                        new McNemar(4, 623, success is null ? 0.3877 : 3e-12),
                        success is null ? null : Interval(success.Value - 0.689, 0.03)
                    ),
                null,
                [
                    .. WorldVocabulary.Objects.Select(
                        (label, index) => new ClassScore(label, 40, Interval(Math.Clamp(accuracy + 0.03 * Math.Sin(index), 0, 1)))
                    ),
                ]
            );
        return new ModelScores(
            name,
            arm,
            0,
            validation,
            new Dictionary<string, SetScores>
            {
                ["clean"] = Scores(clean, null),
                ["attacked"] = Scores(Math.Min(0.99, attacked + 0.01), fooled),
                ["attacked-heldout"] = Scores(attacked, fooled),
                ["words"] = Scores(words, null),
                ["words-heldout"] = Scores(words - 0.04, null),
            },
            new Dictionary<string, RetrievalScores>()
        );
    }
}
