using Spectre.Console;

namespace ClipSae.Cli;

/// <summary>The before/after table.</summary>
internal static class ScoreTable
{
    /// <param name="tuned">Null where no model is the tuned one.</param>
    public static Table Create(ModelScores baseModel, ModelScores? tuned, IReadOnlyList<ModelScores> arms)
    {
        var table = new Table { Border = TableBorder.Horizontal };
        table.AddColumn("model");
        foreach (var title in new[] { "clean", "attacked", "attack\nsuccess", "held-out\nattacked", "held-out\nattack success", "word alone\nread as word", "held-out\nword alone" })
        {
            table.AddColumn(new TableColumn(title).RightAligned());
        }

        AddRow(table, baseModel, "");
        if (tuned is not null)
        {
            AddRow(table, tuned, "bold green");
        }

        if (arms.Count > 0)
        {
            table.AddEmptyRow();
        }

        foreach (var arm in arms)
        {
            AddRow(table, arm, "grey");
        }

        return table;
    }

    private static void AddRow(Table table, ModelScores scores, string style)
    {
        Markup Cell(string text) => new(style.Length > 0 ? $"[{style}]{text.EscapeMarkup()}[/]" : text.EscapeMarkup());
        table.AddRow(
        [
            Cell(scores.Name), Cell(Amounts.Share(scores.Clean)), Cell(Amounts.Share(scores.Attacked)), Cell(Amounts.Share(scores.AttackSuccess)),
            Cell(Amounts.Share(scores.HeldOutAttacked)), Cell(Amounts.Share(scores.HeldOutAttackSuccess)), Cell(Amounts.Share(scores.Words)), Cell(Amounts.Share(scores.WordsHeldOut)),
        ]);
    }
}
