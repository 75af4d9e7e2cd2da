using ClipSae.Pages;
using ClipSae.Reporting.Charts;
using ClipSae.Reporting.Data;
using ClipSae.Results.Evaluation;

namespace ClipSae.Reporting.Sections;

/// <summary>
/// The verdict on one screen: a sentence, up to five numbers before and after, and the trade-off of all tuned models; first of all whether
/// fine-tuning changed anything.
/// </summary>
internal static class Headline
{
    public static Html Render(ReportData data) => Html.Of($"{Unmoved(data)}{Comparison(data)}");

    private static Html Unmoved(ReportData data) =>
        Movement.Of([.. data.Tuning.Where(unit => Movement.IsUnmoved(unit.Value)).Select(unit => unit.Key)]) is { } sentence
            ? Html.Of($"<p class=\"verdict\">{sentence}</p>")
            : Html.Empty;

    private static Html Comparison(ReportData data)
    {
        if (EvaluationView.Of(data) is not { } view)
        {
            return Html.Of(
                $"<p class=\"verdict\">This run has no evaluation, so there is nothing to compare yet. What it did is shown below.</p>"
            );
        }

        if (!view.HasSets)
        {
            var chosen = view.Tuned is null
                ? NothingBetter(view)
                : Html.Of($"The tuned one, <b>{view.Tuned.Name}</b>, has the best validation score in training.");
            return Html.Of($"<p class=\"verdict\">No sets to evaluate on were given, so the models are not compared. {chosen}</p>");
        }

        var (attack, clean, worst) = (view.HardestAttack, view.Clean, view.WorstFamily);
        return Html.Of(
            $"""
            <p class="verdict">{Verdict(view, attack, clean)}</p>
            <div class="summary"><div class="cards">
            {Card("Accuracy under attack", attack)}
            {Card("Attack success rate", attack, success: true)}
            {Card("Clean accuracy", clean)}
            {(worst is null ? Html.Empty : Card($"Worst family of print: {view.FamilyName(worst)}", worst))}
            {(view.WordsAlone is null ? Html.Empty : Card("Words alone, read as words", view.WordsAlone, isJudged: false))}
            </div>{TradeOff.Chart(data)}</div>
            {Disagreements.Render(data, view, attack)}
            <p class="note">{(
                attack is null ? "" : $"Printed words are those of the set “{attack}”: {view.Title(attack)}. "
            )}Intervals are 95 % by bootstrap over images{(view.Tuned is null ? "" : ", differences paired image by image")}.</p>
            """
        );

        Html Card(string title, string? set, bool success = false, bool isJudged = true)
        {
            Interval? Of(ModelScores? model) =>
                EvaluationView.Scores(model, set) is { } scores
                    ? success
                        ? scores.AttackSuccess
                        : scores.Accuracy
                    : null;
            var (before, after) = (Of(view.Base), Of(view.Tuned));
            if (before is null)
            {
                return Html.Empty;
            }

            var comparison = EvaluationView.Scores(view.Tuned, set)?.AgainstBase;
            return Html.Of(
                $"""
                <div class="card"><h3>{title} <small>n = {Written.Count(view.Images(set))}</small></h3>
                <p class="big"><span class="before">{Written.Percent(before.Value)}</span>{(
                    after is null
                        ? Html.Empty
                        : Html.Of(
                            $"<span class=\"arrow\" aria-label=\"to\">→</span><span class=\"after\">{Written.Percent(after.Value)}</span>"
                        )
                )}</p>
                {IntervalTrack.Render(
                    new("base", before.Value, before.Low, before.High),
                    new IntervalTrack.Mark("tuned", after?.Value, after?.Low, after?.High)
                )}
                <p class="change">{Change(
                    success ? comparison?.AttackSuccess : comparison?.Accuracy,
                    after?.Value,
                    higherIsBetter: !success,
                    isJudged
                )}</p></div>
                """
            );
        }
    }

    // Whether a model should read is the user's choice, so a change of reading is neither better nor worse.
    private static Html Change(Interval? change, double? after, bool higherIsBetter, bool isJudged)
    {
        if (change is null)
        {
            return Html.Empty;
        }

        // A rate that fell from 99 to 88 % is lower; "better" would be taken for good.
        var isBad = higherIsBetter ? after < 0.5 : after >= 0.5;
        var (kind, verdict) =
            change is { Low: <= 0, High: >= 0 } ? ("within-chance", "within chance")
            : !isJudged ? ("within-chance", change.Value > 0 ? "reads more" : "reads less")
            : change.Value > 0 != higherIsBetter ? ("worse", "worse")
            : isBad ? ("within-chance", higherIsBetter ? "higher, but wrong on most" : "lower, but most still succeed")
            : ("better", "better");
        return Html.Of(
            $"<b class=\"{kind}\">{Written.Points(change.Value)}</b> ({Written.SignedRange(change.Low, change.High)}), {verdict}"
        );
    }

    private static Html Verdict(EvaluationView view, string? attack, string? clean)
    {
        var fooled = EvaluationView.Scores(view.Base, attack)?.AttackSuccess;
        if (view.Tuned is null || fooled is null)
        {
            return fooled is null
                ? Html.Of($"No attacked set was evaluated, so this says how good the model is, not how easily it is fooled.")
                : Html.Of(
                    $"A printed word fools the base model on <b>{Written.Percent(fooled.Value)}</b> of images. "
                        + $"{(view.Arms.Count > 0 ? NothingBetter(view) : Html.Of($"There is no tuned model to compare."))}"
                );
        }

        var after = EvaluationView.Scores(view.Tuned, attack)?.AttackSuccess;
        var (cleanBefore, cleanAfter) = (
            EvaluationView.Scores(view.Base, clean)?.Accuracy,
            EvaluationView.Scores(view.Tuned, clean)?.Accuracy
        );
        var price =
            cleanBefore is null || cleanAfter is null
                ? Html.Empty
                : Html.Of($" Clean accuracy is <b>{Written.Percent(cleanAfter.Value)}</b> (base {Written.Percent(cleanBefore.Value)}).");
        return Html.Of(
            $"{Pages.Verdict.Of(fooled.Value, after?.Value, cleanBefore?.Value, cleanAfter?.Value)} A printed word fools the base "
                + $"model on <b>{Written.Percent(fooled.Value)}</b> of images, the tuned model on <b>"
                + $"{Written.Percent(after?.Value)}</b>.{price}"
        );
    }

    private static Html NothingBetter(EvaluationView view) =>
        view.Arms.Count > 0
            ? Html.Of($"No fine-tuned model has a higher validation score than the base, so none is taken as the tuned one.")
            : Html.Empty;
}
