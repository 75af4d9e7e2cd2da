using ClipSae.Pages;
using ClipSae.Reporting.Data;

namespace ClipSae.Reporting.Sections;

/// <summary>Attacks that fine-tuning chooses from.</summary>
internal static class AttackGallery
{
    public static Section? Render(ReportData data) =>
        data.Attacks.Count == 0
            ? null
            : new Section(
                "attacks",
                "Attacks that were chosen",
                Html.Of($"{Counts(data)}{Learned(data)}"),
                Html.Of($"<div class=\"gallery\">{data.Attacks.Select(Figure)}</div>")
            );

    private static Html Figure(AttackImage attack) =>
        Html.Of(
            $"<figure><img src=\"{attack.Image}\" alt=\"{attack.Label} with the word {attack.Word}\" loading=\"lazy\">"
                + $"<figcaption><b>{attack.Label}</b>{(attack.Word is null ? "" : $" “{attack.Word}”")}</figcaption></figure>"
        );

    private static string Counts(ReportData data) =>
        data.Curated is not { } curated
            ? $"{data.Attacks.Count} images that fool the base model."
            : $"{data.Attacks.Count} of {Written.Count(curated.Printed + curated.Natural)} images. {Written.Count(curated.Printed)} "
                + $"have a printed word that fools the base model{Firing(curated)}"
                + (
                    curated.Natural == 0
                        ? "."
                        : $"; {Written.Count(curated.Natural)} are the data set’s own, as they are, "
                            + "on which the text-salient features fire."
                );

    private static string Firing(CuratedPrint curated) =>
        curated.Firing is not { } firing ? ""
        : firing == curated.Printed ? " and excites the text-salient features"
        : $", and on {Written.Count(firing)} of these the text-salient features fire";

    /// <summary>Whether an arm learned the attacks' captions; self-distillation, for one, does not.</summary>
    private static bool IsCaptioned(ReportData data) =>
        data.Curves.Values.Any(curves => curves.Steps.Any(step => step.AttackLoss is not null));

    /// <summary>How many of them the arms were trained on: a part validates, and an arm may be given a small pool.</summary>
    private static string Learned(ReportData data)
    {
        var trained = data.Tuning.Select(unit => unit.Value.AttackImages).ToArray();
        return trained.Length == 0
            ? ""
            : " Fine-tuning trained on "
                + Written.Count(trained.Min())
                + (trained.Min() < trained.Max() ? $" to {Written.Count(trained.Max())}, by the arm," : "")
                + $" of them{(IsCaptioned(data) ? ", with their true captions" : "")}.";
    }
}
