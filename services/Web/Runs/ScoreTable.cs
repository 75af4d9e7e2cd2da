using ClipSae.Pages;
using ClipSae.Results.Evaluation;

namespace ClipSae.Web.Runs;

/// <summary>Scores of models in a table: one row a model, the base first.</summary>
internal static class ScoreTable
{
    /// <summary>A row.</summary>
    /// <param name="Group">The run, where rows of several are shown.</param>
    /// <param name="Name">The model.</param>
    /// <param name="Metrics">Its scores.</param>
    /// <param name="Role">base, tuned, control or nothing: how the row looks.</param>
    public sealed record Row(string? Group, string Name, ModelMetrics Metrics, string Role);

    /// <summary>The rows of a run. Where one of the arms is the tuned model with its one seed, it is shown once.</summary>
    public static IEnumerable<Row> RowsOf(EvaluationMetrics scores, string? group = null)
    {
        yield return new Row(group, "base", scores.Base, "base");
        if (scores.Tuned is { } tuned)
        {
            yield return new Row(group, $"tuned ({tuned.Name})", tuned, "tuned");
        }

        foreach (
            var arm in scores.Arms.Where(arm => arm.Seeds > 1 || scores.Tuned is not { } chosen || chosen.Name.Split(".s")[0] != arm.Name)
        )
        {
            yield return new Row(
                group,
                arm.Seeds > 1 ? FormattableString.Invariant($"{arm.Name} (mean of {arm.Seeds} seeds)") : arm.Name,
                arm,
                ArmName.IsControl(arm.Name) ? "control" : ""
            );
        }
    }

    /// <summary>The family of print on which a model is worst; where families were not evaluated, the attacked set that was.</summary>
    public static (string Family, double Attacked)? Worst(ModelMetrics metrics)
    {
        if (metrics.Families is { Count: > 0 } families)
        {
            var worst = families.MinBy(family => family.Value.Attacked);
            return (worst.Key, worst.Value.Attacked);
        }

        return (metrics.HeldOut.Attacked ?? metrics.Attacked) is { } attacked
            ? (metrics.HeldOut.Attacked is null ? "attacked" : "attacked, held-out", attacked)
            : null;
    }

    public static Html Render(string name, IReadOnlyList<Row> rows)
    {
        (string Title, Func<ModelMetrics, double?> Metric)[] columns =
        [
            ("Clean accuracy", metrics => metrics.Clean ?? metrics.HeldOut.Clean),
            ("Accuracy under attack", metrics => metrics.Attacked),
            ("Attack success rate (ASR)", metrics => metrics.AttackSuccess),
            ("Under attack, held-out", metrics => metrics.HeldOut.Attacked),
            ("ASR, held-out", metrics => metrics.HeldOut.AttackSuccess),
            ("Words alone", metrics => metrics.Words),
            ("Words alone, held-out", metrics => metrics.WordsHeldOut),
        ];
        var shown = columns.Where(column => rows.Any(row => column.Metric(row.Metrics) is not null)).ToArray();
        var families = rows.Any(row => row.Metrics.Families is { Count: > 0 });
        var isGrouped = rows.Any(row => row.Group is not null);
        return Html.Wide(
            name,
            Html.Of(
                $"""
                <table class="scores"><thead><tr>{(
                    isGrouped ? Html.Of($"<th scope=\"col\">Run</th>") : Html.Empty
                )}<th scope="col">Model</th>{shown.Select(column => Html.Of($"<th scope=\"col\" class=\"n\">{column.Title}</th>"))}{(
                    families ? Html.Of($"<th scope=\"col\" class=\"n\">Worst family</th>") : Html.Empty
                )}</tr></thead><tbody>
                {rows.Select(row =>
                    Html.Of(
                        $"<tr class=\"{row.Role}\">{(isGrouped ? Html.Of($"<td>{row.Group}</td>") : Html.Empty)}<th scope=\"row\">{row.Name}</th>{shown.Select(column => Html.Of($"<td class=\"n\">{Written.Percent(column.Metric(row.Metrics))}</td>"))}{(families ? Family(row.Metrics) : Html.Empty)}</tr>"
                    )
                )}
                </tbody></table>
                """
            )
        );
    }

    private static Html Family(ModelMetrics metrics) =>
        metrics.Families is { Count: > 0 } && Worst(metrics) is var (family, attacked)
            ? Html.Of($"<td class=\"n\">{Written.Percent(attacked)} <small>{family}</small></td>")
            : Html.Of($"<td class=\"n\">{Written.Missing}</td>");
}
