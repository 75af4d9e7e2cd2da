using ClipSae.Results.Evaluation;

namespace ClipSae.Cli.Output;

/// <summary>The before/after table.</summary>
internal static class ScoreTable
{
    /// <param name="tuned">Null where no model is the tuned one.</param>
    public static NumberTable Create(ModelMetrics basis, ModelMetrics? tuned, IReadOnlyList<ModelMetrics> arms)
    {
        var table = new NumberTable(
            "model",
            "clean",
            "attacked",
            "attack\nsuccess",
            "held-out\nattacked",
            "held-out\nattack\nsuccess",
            "word\nalone",
            "held-out\nword\nalone"
        );
        AddRow(table, "base", basis, "");
        if (tuned is not null)
        {
            AddRow(table, "tuned", tuned, "bold green");
        }

        if (arms.Count > 0)
        {
            table.AddGap();
        }

        foreach (var arm in arms)
        {
            AddRow(table, arm.Name, arm, "grey");
        }

        return table;
    }

    private static void AddRow(NumberTable table, string name, ModelMetrics scores, string style)
    {
        double?[] shares =
        [
            scores.Clean,
            scores.Attacked,
            scores.AttackSuccess,
            scores.HeldOut.Attacked,
            scores.HeldOut.AttackSuccess,
            scores.Words,
            scores.WordsHeldOut,
        ];
        table.Add(name, [.. shares.Select(Amounts.Share)], style);
    }
}
