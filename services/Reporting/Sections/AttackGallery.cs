namespace ClipSae.Reporting;

/// <summary>Attacks that fine-tuning saw.</summary>
internal static class AttackGallery
{
    public static Section? Render(ReportData data) => data.Attacks.Count == 0
        ? null
        : new Section(
            "attacks",
            "Attacks that were chosen",
            Html.Of($"{data.Attacks.Count} of {data.AttackCount} images that take the base in and excite the text-salient features. Each was learned with its true caption; the words and fonts of the unseen sets are not among them."),
            Html.Of($"<div class=\"gallery\">{data.Attacks.Select(attack => Html.Of($"<figure><img src=\"{attack.Image}\" alt=\"{attack.Label} with the word {attack.Word}\" loading=\"lazy\"><figcaption><b>{attack.Label}</b>{(attack.Word is null ? Html.Empty : Html.Of($" “{attack.Word}”"))}</figcaption></figure>"))}</div>"));
}
