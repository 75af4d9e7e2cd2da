using ClipSae.AttackCuration.RedTeam;
using ClipSae.Results.Curation;
using ClipSae.Results.Tuning;

namespace ClipSae.Cli.Output;

/// <summary>
/// What curation's search found this model to read, in lines and a table: metrics of the stages attack-curation and fine-tuning.
/// </summary>
internal static class RedTeamSummary
{
    /// <summary>How many printed words fooled the base, what it reads and what it hardly does.</summary>
    /// <param name="curation">Curation's metrics; null where it has not finished.</param>
    public static IEnumerable<string> Lines(CurationMetrics? curation)
    {
        if (curation is not { Candidates: > 0 and var candidates, Fooled: var fooled })
        {
            yield break;
        }

        yield return $"attacks: {fooled} of {candidates} printed words fooled the base ({Amounts.Share((double)fooled / candidates)}).";
        if (curation.BetterRead is { } better)
        {
            yield return $"print: the base hardly reads the style that was printed; of the families it reads '{better.Family}' best "
                + $"({Amounts.Share((double)better.Fooled / Math.Max(1, better.Tried))} of {better.Tried} words): "
                + "--set curation.families=all.";
        }

        var families = (curation.RedTeam?.Families ?? []).OrderByDescending(family => family.Rate).ToArray();
        if (families.Length == 0)
        {
            yield break;
        }

        var hardly = families.Where(family => family.Rate < Ways.HardlyRead).Select(Named).ToArray();
        yield return $"print: the base reads {Named(families[0])} best"
            + $"{(hardly.Length == 0 ? $", {Named(families[^1])} least" : $"; it hardly reads {string.Join(", ", hardly)}")}.";
    }

    /// <summary>
    /// Attack success and accuracy under attack by family, before and after, on pictures that fine-tuning did not see; families that it did
    /// not see first.
    /// </summary>
    /// <param name="families">As the tuned unit's metrics give them; null where all was printed in one style.</param>
    /// <returns>Null if there are none.</returns>
    public static NumberTable? Create(IReadOnlyList<FamilyComparison>? families)
    {
        if (families is not { Count: > 0 })
        {
            return null;
        }

        var table = new NumberTable(
            "print of curation",
            "trained\non",
            "attack success\nbase",
            "attack success\ntuned",
            "attacked\nbase",
            "attacked\ntuned"
        );
        var rows = families.OrderByDescending(family => family.HeldOut).ThenBy(family => family.After.Attacked).ToArray();
        foreach (var part in rows.GroupBy(family => family.HeldOut))
        {
            foreach (var (rank, family) in part.Index())
            {
                var isWorst = rank == 0 && part.Count() > 1;
                table.Add($"{family.Family}{(isWorst ? " (worst)" : "")}", [part.Key ? "no" : "yes", .. Cells([family])]);
            }

            table.Add("mean", [part.Key ? "no" : "yes", .. Cells(part)]);
        }

        return table;
    }

    private static string[] Cells(IEnumerable<FamilyComparison> families) =>
        [
            Amounts.Share(families.Average(family => family.Before.AttackSuccess)),
            Amounts.Share(families.Average(family => family.After.AttackSuccess)),
            Amounts.Share(families.Average(family => family.Before.Attacked)),
            Amounts.Share(families.Average(family => family.After.Attacked)),
        ];

    private static string Named(FamilyAttacks family) => $"'{family.Family}' ({Amounts.Share(family.Rate)})";
}
