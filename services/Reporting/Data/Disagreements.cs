using ClipSae.Pages;

namespace ClipSae.Reporting.Data;

/// <summary>Where what curation and validation saw and what the evaluation saw do not fit together, and why that may be.</summary>
internal static class Disagreements
{
    // Differences of rates that sampling hardly explains with some hundred pictures, and that change what one concludes.
    private const double Notable = 0.15;

    public static Html Render(ReportData data, EvaluationView view, string? attack)
    {
        string[] notes = [.. new[] { OfCuration(data, view, attack), OfValidation(data, view, attack) }.OfType<string>()];
        return notes.Length == 0 ? Html.Empty : Html.Of($"{notes.Select(note => Html.Of($"<p class=\"note disagreement\">{note}</p>"))}");
    }

    private static string? OfCuration(ReportData data, EvaluationView view, string? attack)
    {
        if (
            data.Curation is not { Candidates: > 0 and var tried, Fooled: var fooled }
            || EvaluationView.Scores(view.Base, attack)?.AttackSuccess is not { } scored
        )
        {
            return null;
        }

        var share = (double)fooled / tried;
        return Math.Abs(share - scored.Value) < Notable
            ? null
            : $"Two rates differ: of curation’s {Written.Count(tried)} printed words {Written.Percent(share)} fooled the base "
                + $"model, on the set “{attack}” (n = {Written.Count(view.Images(attack))}) {Written.Percent(scored.Value)} do. "
                + "They need not agree: curation prints its own words in its own faces, sizes and places (curation.style), "
                + "on other pictures, and chooses among other classes. Where curation’s rate is the higher one, "
                + "fine-tuning learned from stronger print than the set shows; where it is the lower one, from weaker.";
    }

    private static string? OfValidation(ReportData data, EvaluationView view, string? attack)
    {
        var metrics = data.Tuning.FirstOrDefault(unit => unit.Key == view.Tuned?.Name).Value;
        if (metrics?.Validation?.Attacked is not { } validated || EvaluationView.Scores(view.Tuned, attack)?.Accuracy is not { } scored)
        {
            return null;
        }

        return Math.Abs(validated - scored.Value) < Notable
            ? null
            : $"Validation saw an accuracy under attack of {Written.Percent(validated)} "
                + $"(n = {Written.Count(metrics.AttackValidationImages)}), "
                + $"the set “{attack}” (n = {Written.Count(view.Images(attack))}) {Written.Percent(scored.Value)}. "
                + "Validation’s attacks are curation’s own print, of which others were trained on; the set’s are not. "
                + "The set’s figure is the one to quote.";
    }
}
