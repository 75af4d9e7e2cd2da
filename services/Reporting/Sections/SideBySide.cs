using System.Globalization;
using ClipSae.Pages;
using ClipSae.Reporting.Data;
using ClipSae.Results.Evaluation;

namespace ClipSae.Reporting.Sections;

/// <summary>Images with what both models make of them.</summary>
internal static class SideBySide
{
    private const int MaxBytes = 975_000;

    // Classes of the style sheet, by place: the base, the tuned model, others.
    private static readonly string[] Colours = ["base", "tuned", "m2", "m3", "m4", "m5"];

    // Words alone that are read no longer are made worse too, but stand apart.
    private static readonly (ExampleKind Kind, bool IsWord, string Title, string OfTwo, string OfMany, int Max)[] Kinds =
    [
        (
            ExampleKind.Mended,
            false,
            "Fixed",
            "The base was wrong, the tuned model is right.",
            "The base is wrong, another model is right.",
            12
        ),
        (ExampleKind.BothWrong, false, "Still wrong", "Both models are wrong.", "All models are wrong.", 8),
        (
            ExampleKind.Worse,
            false,
            "Made worse",
            "The base was right, the tuned model is wrong.",
            "The base is right, another model is wrong.",
            8
        ),
        (
            ExampleKind.Worse,
            true,
            "Word no longer named",
            "These pictures are labelled with the word on them, which the base named. "
                + "Where they show an object too, recognizing it is what fine-tuning is for.",
            "These pictures are labelled with the word on them, which the base names and another model does not.",
            4
        ),
    ];

    public static Section? Render(ReportData data)
    {
        var examples = data.Examples;
        if (examples.Count == 0)
        {
            return null;
        }

        string[] models = [.. examples[0].Answers.Select(answer => answer.Model).Take(Colours.Length)];
        var budget = MaxBytes;
        var view = models.Length > 2 ? null : EvaluationView.Of(data);
        var counts = view?.Tuned is null ? null : Counts(view);

        // The most frequent outcome first: a page of fixed pictures must not stand before many more that are still wrong.
        var groups = Kinds
            .OrderByDescending(kind => kind.IsWord ? -1 : counts?.GetValueOrDefault(kind.Kind) ?? 0)
            .Select(kind =>
            {
                var of = examples.Where(example => example.Kind == kind.Kind && IsUnread(example, view) == kind.IsWord).ToArray();
                if (of.Length == 0 && kind.IsWord)
                {
                    return Html.Empty;
                }

                var shown = InTurn(of).Take(kind.Max).Where(example => (budget -= example.Image.Length) > 0).ToArray();
                return Html.Of(
                    $"<h3>{kind.Title}"
                        + $"{(!kind.IsWord && counts?.TryGetValue(kind.Kind, out var count) == true ? $": {Written.Count(count)}" : "")} "
                        + $"<small>{(models.Length > 2 ? kind.OfMany : kind.OfTwo)}{(of.Length == 0 ? " There is no such image." : "")}"
                        + $"</small></h3><div class=\"examples\">{shown.Select(example => Card(example, models))}</div>"
                );
            })
            .ToArray();
        return new Section(
            "images",
            "The images, side by side",
            Html.Of(
                $"{Told(counts, view)}The clearest cases of each first, spread over classes. Bars are probabilities in per cent "
                    + $"over all choices of the set; choices that no model considers are left out. <span class=\"legend-inline\">"
                    + $"{models.Select((model, place) => Html.Of($"<i class=\"swatch {Colours[place]}\"></i> {model} "))}</span>"
            ),
            Html.Join(groups)
        );
    }

    private static bool IsUnread(Example example, EvaluationView? view) =>
        example.Kind == ExampleKind.Worse && view?.Sets.Any(set => set.Name == example.Set && set.Protocol == Protocols.Words) == true;

    /// <summary>How many images of the sets of objects were fixed, are still wrong and were made worse.</summary>
    private static Dictionary<ExampleKind, double> Counts(EvaluationView view)
    {
        var counts = new Dictionary<ExampleKind, double>();
        foreach (var set in view.Sets.Where(set => set.Protocol != Protocols.Words))
        {
            if (
                EvaluationView.Scores(view.Tuned, set.Name)?.AgainstBase?.McNemar is { BaseOnly: var worse, TunedOnly: var better }
                && EvaluationView.Scores(view.Base, set.Name)?.Accuracy is { } accuracy
            )
            {
                counts[ExampleKind.Mended] = counts.GetValueOrDefault(ExampleKind.Mended) + better;
                counts[ExampleKind.Worse] = counts.GetValueOrDefault(ExampleKind.Worse) + worse;
                counts[ExampleKind.BothWrong] =
                    counts.GetValueOrDefault(ExampleKind.BothWrong)
                    + Math.Max(0, set.Images - Math.Round(set.Images * accuracy.Value) - better);
            }
        }

        return counts;
    }

    private static string Told(Dictionary<ExampleKind, double>? counts, EvaluationView? view) =>
        counts is not { Count: > 0 }
            ? ""
            : $"Of {Written.Count(view!.Sets.Where(set => set.Protocol != Protocols.Words).Sum(set => set.Images))} images of all "
                + $"sets of objects, {Written.Count(counts[ExampleKind.Mended])} were "
                + $"fixed, {Written.Count(counts[ExampleKind.BothWrong])} are still wrong "
                + $"and {Written.Count(counts[ExampleKind.Worse])} were made worse. ";

    // Sets in turn, the held-out attacks first, so that one set does not fill the page.
    private static IEnumerable<Example> InTurn(Example[] examples) =>
        examples
            .GroupBy(example => example.Set)
            .OrderBy(group =>
                group.Key switch
                {
                    "attacked-heldout" => 0,
                    "attacked" => 1,
                    "clean" => 2,
                    _ => 3,
                }
            )
            .SelectMany((group, set) => group.Select((example, turn) => (example, turn, set)))
            .OrderBy(entry => entry.turn)
            .ThenBy(entry => entry.set)
            .Select(entry => entry.example);

    private static Html Card(Example example, string[] models)
    {
        var (label, word) = (example.Label, example.Word);
        var answers = example
            .Answers.Take(models.Length)
            .Select(answer =>
                answer
                    .Candidates.GroupBy(candidate => candidate.Text, StringComparer.Ordinal)
                    .ToDictionary(group => group.Key, group => (double?)group.First().Probability, StringComparer.Ordinal)
            )
            .ToArray();
        var rows =
            answers.Length == 0
                ? []
                : answers[0]
                    .Keys.Select(text =>
                    {
                        var role =
                            text == label ? "right"
                            : text == word ? "printed"
                            : "";
                        return Html.Of(
                            $"""
                            <div class="cand {role}"><span class="name">{text}{(
                                role.Length == 0 ? Html.Empty : Html.Of($" <small>{(role == "right" ? "✓" : "printed")}</small>")
                            )}</span>
                            <span class="bars">{answers.Select(
                                (answer, place) => Bar(models[place], Colours[place], answer.GetValueOrDefault(text))
                            )}</span></div>
                            """
                        );
                    })
                    .ToArray();
        var caption = word is null || word == label ? Html.Of($"<b>{label}</b>") : Html.Of($"<b>{label}</b> with “{word}”");
        return Html.Of(
            $"""
            <article class="example"><img src="data:image/png;base64,{Convert.ToBase64String(example.Image)}" alt="{label}{(
                word is null ? "" : $" with the word {word} printed on it"
            )}" loading="lazy">
            <div class="what"><p>{caption} <small>{example.Set}</small></p>{rows}</div></article>
            """
        );
    }

    private static Html Bar(string model, string colour, double? probability) =>
        Html.Of(
            $"""
            <span class="bar"><i class="{colour}" style="width:{100
                * (probability ?? 0):0.#}%"></i><em><span class="aloud">{model}: </span>{Percent(probability)}</em></span>
            """
        );

    private static string Percent(double? probability) =>
        probability is not { } value ? ""
        : value is > 0 and < 0.005 ? "<1"
        : (100 * value).ToString("0", CultureInfo.InvariantCulture);
}
