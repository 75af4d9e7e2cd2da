using System.Globalization;
using ClipSae.Results.Evaluation;
using Spectre.Console;

namespace ClipSae.Cli.Output;

/// <summary>An evaluation on the terminal: a table a set, and what could not be scored.</summary>
internal static class EvaluationTable
{
    private const int MaxProblems = 5;

    // Titles with how the cell of a set's scores is written; a column without any cell is left out.
    private static readonly (string Title, Func<SetScores, string?> Cell)[] Columns =
    [
        ("accuracy", scores => WithRange(scores.Accuracy)),
        ("mean of\nclasses", scores => Share(scores.MeanPerClass)),
        ("attack\nsuccess", scores => Share(scores.AttackSuccess)),
        ("object\nbeats word", scores => Share(scores.BinaryAccuracy)),
        ("mean\nmargin", scores => Number(scores.BinaryMargin)),
        ("linear\nprobe", scores => Share(scores.Probe?.Accuracy)),
        ("calibration\nerror", scores => Share(scores.Calibration.ExpectedError)),
        ("Brier", scores => Number(scores.Calibration.Brier)),
        ("modality\ngap", scores => Number(scores.ModalityGap)),
        ("against\nfirst", scores => Gain(scores.AgainstBase?.Accuracy)),
        ("McNemar\np", scores => Probability(scores.AgainstBase?.McNemar)),
    ];

    private static readonly (string Title, Func<RetrievalScores, string?> Cell)[] RetrievalColumns =
    [
        ("image to\ntext R@1", scores => Share(scores.ImageToText.At1)),
        ("R@5", scores => Share(scores.ImageToText.At5)),
        ("R@10", scores => Share(scores.ImageToText.At10)),
        ("text to\nimage R@1", scores => Share(scores.TextToImage.At1)),
        ("R@5", scores => Share(scores.TextToImage.At5)),
        ("R@10", scores => Share(scores.TextToImage.At10)),
        ("modality\ngap", scores => Number(scores.ModalityGap)),
        ("R@1 against\nfirst", scores => Gain(scores.ImageToTextGain)),
        ("McNemar\np", scores => Probability(scores.McNemar)),
    ];

    public static void Write(IAnsiConsole console, EvaluationResults results)
    {
        foreach (var set in results.Sets)
        {
            console.WriteUnfolded("");
            console.WriteUnfolded(Title(set));
            if (set.Captions > 0)
            {
                Write(console, [.. results.Models.Select(model => (model.Name, model.Retrieval[set.Name]))], RetrievalColumns);
            }
            else
            {
                Write(console, [.. results.Models.Select(model => (model.Name, model.Sets[set.Name]))], Columns);
            }

            WriteProblems(console, set);
        }
    }

    private static string Title(SetSummary set) =>
        set.Captions > 0
            ? $"{set.Name}: {set.Images} images, {set.Captions} different captions"
            : $"{set.Name} ({set.Protocol}): {set.Images} images, {set.Classes} classes"
                + $"{(set.Candidates.Count > set.Classes ? $" and {set.Candidates.Count - set.Classes} words" : "")}";

    private static void Write<T>(IAnsiConsole console, (string Name, T Scores)[] models, (string Title, Func<T, string?> Cell)[] columns)
    {
        var shown = columns.Where(column => models.Any(model => column.Cell(model.Scores) is not null)).ToArray();
        var table = new NumberTable("model", [.. shown.Select(column => column.Title)]);
        foreach (var (name, scores) in models)
        {
            table.Add(name, [.. shown.Select(column => column.Cell(scores) ?? "")]);
        }

        table.Write(console);
    }

    private static void WriteProblems(IAnsiConsole console, SetSummary set)
    {
        if (set.Problems.Count == 0)
        {
            return;
        }

        console.WriteUnfolded($"  {set.Problems.Count} of {set.Total} could not be scored:");
        foreach (var problem in set.Problems.Take(MaxProblems))
        {
            console.WriteUnfolded($"    {problem.Id}: {problem.Reason}");
        }

        if (set.Problems.Count > MaxProblems)
        {
            console.WriteUnfolded($"    and {set.Problems.Count - MaxProblems} more: --json and --csv name all");
        }
    }

    private static string? Share(Interval? metric) => metric is null ? null : Amounts.Share(metric.Value);

    private static string WithRange(Interval metric) =>
        string.Create(CultureInfo.InvariantCulture, $"{Amounts.Share(metric.Value)}\n{100 * metric.Low:0.0}–{100 * metric.High:0.0}");

    private static string? Number(Interval? metric) => metric?.Value.ToString("0.000", CultureInfo.InvariantCulture);

    private static string? Gain(Interval? gain) =>
        gain is null
            ? null
            : string.Create(
                CultureInfo.InvariantCulture,
                $"{100 * gain.Value:+0.0;-0.0;0.0} pt\n{100 * gain.Low:+0.0;-0.0;0.0} to {100 * gain.High:+0.0;-0.0;0.0}"
            );

    private static string? Probability(McNemar? test) =>
        test is null ? null
        : test.PValue < 0.0001 ? "< 0.0001"
        : test.PValue.ToString("0.####", CultureInfo.InvariantCulture);
}
