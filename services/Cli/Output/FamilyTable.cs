using ClipSae.Results.Evaluation;

namespace ClipSae.Cli.Output;

/// <summary>
/// Accuracy under attack and attack success by family of print, base next to tuned, the tuned model's worst family first.
/// </summary>
internal static class FamilyTable
{
    /// <param name="before">The base's families as the evaluation's metrics give them.</param>
    /// <param name="after">The tuned model's; null if there is none.</param>
    /// <returns>Null where no families were evaluated.</returns>
    public static NumberTable? Create(
        IReadOnlyDictionary<string, FamilyAccuracy>? before,
        IReadOnlyDictionary<string, FamilyAccuracy>? after
    )
    {
        if (before is null)
        {
            return null;
        }

        var table = new NumberTable(
            "family of print",
            "attacked\nbase",
            "attack success\nbase",
            "attacked\ntuned",
            "attack success\ntuned"
        );
        var families = before
            .Keys.OrderBy(name => (after ?? before).GetValueOrDefault(name)?.Attacked)
            .ThenBy(name => name, StringComparer.Ordinal)
            .ToArray();
        string[] Cells(IReadOnlyDictionary<string, FamilyAccuracy>? metrics, IEnumerable<string> names) =>
            [
                Amounts.Share(names.Average(name => metrics?.GetValueOrDefault(name)?.Attacked)),
                Amounts.Share(names.Average(name => metrics?.GetValueOrDefault(name)?.AttackSuccess)),
            ];
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
}
