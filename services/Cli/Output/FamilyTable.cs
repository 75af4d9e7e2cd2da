using System.Text.Json.Nodes;

namespace ClipSae.Cli;

/// <summary>Accuracy under attack and attack success by family of print, base next to tuned, the tuned model's worst family first.</summary>
internal static class FamilyTable
{
    /// <param name="before">The base's families as the evaluation's figures give them.</param>
    /// <param name="after">The tuned model's; null where there is none.</param>
    /// <returns>Null where no families were evaluated.</returns>
    public static FigureTable? Create(JsonObject? before, JsonObject? after)
    {
        if (before is null)
        {
            return null;
        }

        var table = new FigureTable("family of print", "attacked\nbase", "attack success\nbase", "attacked\ntuned", "attack success\ntuned");
        var families = before.Select(family => family.Key).OrderBy(name => Number((after ?? before)[name], "attacked")).ThenBy(name => name, StringComparer.Ordinal).ToArray();
        string[] Cells(JsonObject? figures, IEnumerable<string> names) =>
            [Amounts.Share(Mean(figures, names, "attacked")), Amounts.Share(Mean(figures, names, "attackSuccess"))];
        foreach (var (rank, name) in families.Index())
        {
            table.Add(rank == 0 && families.Length > 1 ? $"{name} (worst)" : name, [.. Cells(before, [name]), .. Cells(after, [name])]);
        }

        if (families.Length > 1)
        {
            table.Add("mean", [.. Cells(before, families), .. Cells(after, families)]);
        }

        return table;
    }

    private static double? Mean(JsonObject? figures, IEnumerable<string> names, string figure) => names.Average(name => Number(figures?[name], figure));

    private static double? Number(JsonNode? node, string name) => node?[name] is JsonValue value && value.TryGetValue<double>(out var number) ? number : null;
}
