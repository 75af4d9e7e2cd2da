using ClipSae.Results.Evaluation;
using ClipSae.ZeroShotEvaluation;

namespace ClipSae.Cli.Output;

/// <summary>An evaluation as four tables: metrics, classes, answers image by image, and what could not be scored.</summary>
internal static class EvaluationCsv
{
    /// <summary>Writes the tables and gives their paths.</summary>
    public static IReadOnlyList<string> Write(Evaluation evaluation, string folder)
    {
        var results = evaluation.Results;
        (string Name, CsvTable Table)[] tables =
        [
            ("figures.csv", Metrics(results)),
            ("classes.csv", Classes(results)),
            ("answers.csv", Answers(evaluation)),
            ("problems.csv", Problems(results)),
        ];
        Directory.CreateDirectory(folder);
        return
        [
            .. tables.Select(table =>
            {
                var path = Path.Combine(folder, table.Name);
                table.Table.Save(path);
                return path;
            }),
        ];
    }

    private static CsvTable Metrics(EvaluationResults results)
    {
        var table = new CsvTable("model", "set", "figure", "value", "low", "high");
        foreach (var model in results.Models)
        {
            foreach (var (set, scores) in model.Sets)
            {
                foreach (var (metric, interval) in Metrics(scores))
                {
                    table.Add(model.Name, set, metric, interval.Value, interval.Low, interval.High);
                }

                Add(model.Name, set, "mcNemarP", scores.AgainstBase?.McNemar);
                Add(model.Name, set, "objectBeatsWordMcNemarP", scores.AgainstBase?.BinaryMcNemar);
                Add(model.Name, set, "probeMcNemarP", scores.Probe?.AgainstBase?.McNemar);
            }

            foreach (var (set, scores) in model.Retrieval)
            {
                foreach (var (metric, interval) in Metrics(scores))
                {
                    table.Add(model.Name, set, metric, interval.Value, interval.Low, interval.High);
                }

                Add(model.Name, set, "mcNemarP", scores.McNemar);
            }
        }

        return table;

        void Add(string model, string set, string metric, McNemar? test)
        {
            if (test is not null)
            {
                table.Add(model, set, metric, test.PValue, null, null);
            }
        }
    }

    private static IEnumerable<(string Metric, Interval Interval)> Metrics(SetScores scores) =>
        Present(
            ("accuracy", scores.Accuracy),
            ("meanOfClasses", scores.MeanPerClass),
            ("attackSuccess", scores.AttackSuccess),
            ("objectBeatsWord", scores.BinaryAccuracy),
            ("meanMargin", scores.BinaryMargin),
            ("calibrationError", scores.Calibration.ExpectedError),
            ("logLoss", scores.Calibration.LogLoss),
            ("brier", scores.Calibration.Brier),
            ("modalityGap", scores.ModalityGap),
            ("probeAccuracy", scores.Probe?.Accuracy),
            ("accuracyGain", scores.AgainstBase?.Accuracy),
            ("attackSuccessGain", scores.AgainstBase?.AttackSuccess),
            ("objectBeatsWordGain", scores.AgainstBase?.BinaryAccuracy),
            ("probeAccuracyGain", scores.Probe?.AgainstBase?.Accuracy)
        );

    private static IEnumerable<(string Metric, Interval Interval)> Metrics(RetrievalScores scores) =>
        Present(
            ("imageToTextR1", scores.ImageToText.At1),
            ("imageToTextR5", scores.ImageToText.At5),
            ("imageToTextR10", scores.ImageToText.At10),
            ("textToImageR1", scores.TextToImage.At1),
            ("textToImageR5", scores.TextToImage.At5),
            ("textToImageR10", scores.TextToImage.At10),
            ("modalityGap", scores.ModalityGap),
            ("imageToTextR1Gain", scores.ImageToTextGain),
            ("textToImageR1Gain", scores.TextToImageGain)
        );

    private static IEnumerable<(string Metric, Interval Interval)> Present(params (string Metric, Interval? Interval)[] metrics) =>
        metrics.Where(metric => metric.Interval is not null).Select(metric => (metric.Metric, metric.Interval!));

    private static CsvTable Classes(EvaluationResults results)
    {
        var table = new CsvTable("model", "set", "class", "images", "accuracy", "low", "high");
        foreach (
            var (model, set, score) in results.Models.SelectMany(model =>
                model.Sets.SelectMany(set => set.Value.PerClass.Select(score => (model.Name, set.Key, score)))
            )
        )
        {
            table.Add(model, set, score.Class, score.Images, score.Accuracy.Value, score.Accuracy.Low, score.Accuracy.High);
        }

        return table;
    }

    private static CsvTable Answers(Evaluation evaluation)
    {
        var table = new CsvTable("model", "set", "image", "label", "word", "chosen", "right", "probability", "margin");
        foreach (var answer in evaluation.Answers())
        {
            table.Add(
                answer.Model,
                answer.Set,
                answer.Image,
                answer.Label,
                answer.Word,
                answer.Chosen,
                answer.Right,
                answer.Probability,
                answer.Margin
            );
        }

        return table;
    }

    private static CsvTable Problems(EvaluationResults results)
    {
        var table = new CsvTable("set", "image", "reason");
        foreach (var (set, problem) in results.Sets.SelectMany(set => set.Problems.Select(problem => (set.Name, problem))))
        {
            table.Add(set, problem.Id, problem.Reason);
        }

        return table;
    }
}
