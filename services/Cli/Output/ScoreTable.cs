namespace ClipSae.Cli;

/// <summary>The before/after table.</summary>
internal static class ScoreTable
{
    /// <param name="tuned">Null where no model is the tuned one.</param>
    public static FigureTable Create(ModelScores baseModel, ModelScores? tuned, IReadOnlyList<ModelScores> arms)
    {
        var table = new FigureTable("model", "clean", "attacked", "attack\nsuccess", "held-out\nattacked", "held-out\nattack\nsuccess", "word\nalone", "held-out\nword\nalone");
        AddRow(table, baseModel, "");
        if (tuned is not null)
        {
            AddRow(table, tuned, "bold green");
        }

        if (arms.Count > 0)
        {
            table.AddGap();
        }

        foreach (var arm in arms)
        {
            AddRow(table, arm, "grey");
        }

        return table;
    }

    private static void AddRow(FigureTable table, ModelScores scores, string style)
    {
        double?[] shares = [scores.Clean, scores.Attacked, scores.AttackSuccess, scores.HeldOutAttacked, scores.HeldOutAttackSuccess, scores.Words, scores.WordsHeldOut];
        table.Add(scores.Name, [.. shares.Select(Amounts.Share)], style);
    }
}
