using ClipSae.Pages;
using ClipSae.Reporting.Data;
using ClipSae.Results.Curation;
using ClipSae.Results.Tuning;

namespace ClipSae.Reporting.Sections;

/// <summary>What curation's search found this model to read, family by family, before and after.</summary>
internal static class FamiliesOfPrint
{
    /// <summary>How many printed words fooled the base: in the page's head, since nothing below means much where few did.</summary>
    public static Html Fooled(ReportData data) =>
        data.Curation is { Candidates: > 0 and var tried, Fooled: var fooled }
            ? Html.Of(
                $"<p class=\"note\">{Written.Count(fooled)} of the {Written.Count(tried)} words that curation printed fooled the base "
                    + $"({Written.Percent((double)fooled / tried)}).</p>"
            )
            : Html.Empty;

    public static Section? Render(ReportData data)
    {
        var found = (data.Curation?.RedTeam?.Families ?? []).OrderByDescending(family => family.Rate).ToArray();
        if (found.Length == 0)
        {
            return null;
        }

        var (tuned, compared) = Compared(data);
        var table = Html.Of(
            $"""
            <table class="scores"><thead><tr><th>Family</th><th>Trained on</th><th class="n">Printed words</th><th class="n">Fooled the base</th><th class="n">Attack success, base</th><th class="n">tuned</th><th class="n">Accuracy under attack, base</th><th class="n">tuned</th></tr></thead>
            <tbody>{found.Select(family => Row(family, compared.GetValueOrDefault(family.Family)))}</tbody></table>
            """
        );
        return new Section("families", "What this model reads", Lead(found, tuned, compared), Html.Wide("Families of print", table));
    }

    private static Html Lead(FamilyAttacks[] found, string? tuned, IReadOnlyDictionary<string, FamilyComparison> compared)
    {
        var judged = compared.Values.Where(family => family.HeldOut).ToArray();
        var worst = judged.MinBy(family => family.After.Attacked);
        return Html.Of(
            $"""
            Curation tried words in {found.Length} families of print and spent the more on one the more it fooled the base: most {Named(
                found[0]
            )}, least {Named(found[^1])}. Some families it held out; fine-tuning never saw them and was validated by them.
            {(
                worst is null
                    ? ""
                    : $"On pictures set apart, {tuned} is right on {Written.Percent(judged.Average(family => family.After.Attacked))} of print in families it never saw (base {Written.Percent(judged.Average(family => family.Before.Attacked))}); worst is “{worst.Family}” with {Written.Percent(worst.After.Attacked)}."
            )}
            """
        );
    }

    private static Html Row(FamilyAttacks found, FamilyComparison? compared) =>
        Html.Of(
            $"""
            <tr><th scope="row">{found.Family}</th><td>{(found.HeldOut ? "no" : "yes")}</td><td class="n">{Written.Count(
                found.Tried
            )}</td><td class="n">{Written.Percent(found.Rate)}</td>
            <td class="n">{Written.Percent(compared?.Before.AttackSuccess)}</td><td class="n">{Written.Percent(
                compared?.After.AttackSuccess
            )}</td><td class="n">{Written.Percent(compared?.Before.Attacked)}</td><td class="n">{Written.Percent(
                compared?.After.Attacked
            )}</td></tr>
            """
        );

    /// <summary>The unit whose model was taken, else the first, and its comparison by family.</summary>
    private static (string? Unit, IReadOnlyDictionary<string, FamilyComparison> Families) Compared(ReportData data)
    {
        var taken = EvaluationView.Of(data)?.Tuned?.Name;
        var unit = data.Tuning.OrderBy(unit => unit.Key == taken ? 0 : 1).FirstOrDefault();
        return (unit.Key, (unit.Value?.Families ?? []).ToDictionary(family => family.Family, StringComparer.Ordinal));
    }

    private static string Named(FamilyAttacks family) => $"“{family.Family}” ({Written.Percent(family.Rate)})";
}
