using System.Text.Json.Nodes;
using ClipSae.AttackCuration;

namespace ClipSae.Cli;

/// <summary>What curation's search found this model to read, in lines and a table: figures of the stages attack-curation and fine-tuning.</summary>
internal static class RedTeamSummary
{
    /// <summary>How many printed words fooled the base, what it reads and what it hardly does.</summary>
    /// <param name="curation">Curation's figures; null where it has not finished.</param>
    public static IEnumerable<string> Lines(JsonObject? curation)
    {
        if (curation?["candidates"]?.GetValue<int>() is not (> 0 and var candidates) || curation["fooled"]?.GetValue<int>() is not { } fooled)
        {
            yield break;
        }

        yield return $"attacks: {fooled} of {candidates} printed words fooled the base ({Amounts.Share((double)fooled / candidates)}).";
        if (curation["betterRead"] is JsonObject better)
        {
            yield return $"print: the base hardly reads the style that was printed; of the families it reads '{better["family"]}' best ({Amounts.Share(Rate(better))} of {better["tried"]} words): --set curation.families=all.";
        }

        var families = (curation["redTeam"]?["families"] as JsonArray ?? []).OfType<JsonObject>().OrderByDescending(Rate).ToArray();
        if (families.Length == 0)
        {
            yield break;
        }

        var hardly = families.Where(family => Rate(family) < Ways.HardlyRead).Select(Named).ToArray();
        yield return $"print: the base reads {Named(families[0])} best{(hardly.Length == 0 ? $", {Named(families[^1])} least" : $"; it hardly reads {string.Join(", ", hardly)}")}.";
    }

    /// <summary>Attack success and accuracy under attack by family, before and after, on pictures that fine-tuning did not see; families that it did not see first.</summary>
    /// <param name="families">As the tuned unit's figures give them; null where all was printed in one style.</param>
    /// <returns>Null where there are none.</returns>
    public static FigureTable? Create(JsonArray? families)
    {
        if (families is not { Count: > 0 })
        {
            return null;
        }

        var table = new FigureTable("print of curation", "trained\non", "attack success\nbase", "attack success\ntuned", "attacked\nbase", "attacked\ntuned");
        var rows = families.OfType<JsonObject>().OrderByDescending(IsHeldOut).ThenBy(family => Number(family, "after", "attacked")).ToArray();
        foreach (var part in rows.GroupBy(IsHeldOut))
        {
            foreach (var (rank, family) in part.Index())
            {
                var isWorst = rank == 0 && part.Count() > 1;
                table.Add($"{family["family"]}{(isWorst ? " (worst)" : "")}", [part.Key ? "no" : "yes", .. Cells([family])]);
            }

            table.Add("mean", [part.Key ? "no" : "yes", .. Cells(part)]);
        }

        return table;
    }

    private static string[] Cells(IEnumerable<JsonObject> families) =>
        [.. new[] { ("before", "attackSuccess"), ("after", "attackSuccess"), ("before", "attacked"), ("after", "attacked") }
            .Select(cell => Amounts.Share(families.Average(family => Number(family, cell.Item1, cell.Item2))))];

    private static bool IsHeldOut(JsonObject family) => family["heldOut"]?.GetValue<bool>() == true;

    private static double Number(JsonObject family, string when, string figure) => family[when]![figure]!.GetValue<double>();

    private static double Rate(JsonObject family) => family["tried"]!.GetValue<int>() is > 0 and var tried ? (double)family["fooled"]!.GetValue<int>() / tried : 0;

    private static string Named(JsonObject family) => $"'{family["family"]}' ({Amounts.Share(Rate(family))})";
}
