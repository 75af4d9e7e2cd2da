using System.Text.Json.Nodes;
using ClipSae.Contracts;

namespace ClipSae.Reporting;

/// <summary>Losses, gradient norms and drift of the chosen model, and the validation of all arms.</summary>
internal static class TrainingCurves
{
    private const int Colours = 6;

    // With fewer, a picture more or less is a jump of five points and more.
    private const int LeastForCurve = 20;

    public static Section? Render(ReportData data)
    {
        if (data.Curves.Count == 0)
        {
            return null;
        }

        var tuned = data.Results?.Tuned;
        var shown = tuned is not null && data.Curves.ContainsKey(tuned) ? tuned : data.Curves.Keys.First();
        var curves = data.Curves[shown];
        (double X, double Y)? best = curves.Number("best", "step") is { } step && curves.Number("best", "score") is { } score ? (step, score) : null;
        var validated = FewestValidated(data);
        Html[] own =
        [
            new LineChart("Loss", [Steps("all", "loss", 0), Steps("clean half", "cleanLoss", 1), Steps("attack half", "attackLoss", 2), Steps("penalty", "penalty", 3)]).Render(),
            validated < LeastForCurve ? Html.Empty : new LineChart("Validation", [Line(curves, "validation", "clean", 1, "no print"), Line(curves, "validation", "attacked", 2, "attacked"), Line(curves, "validation", "score", 0, "score") with { Mark = best }]) { Share = true }.Render(),
            new LineChart("Gradient norm, unscaled", [Steps("norm", "gradientNorm", 0)]) { Logarithmic = true }.Render(),
            new LineChart("Drift of the geometry", [Line(curves, "drift", "theta", 0, "direction θ"), Line(curves, "drift", "radius", 4, "length r")]).Render(),
            new LineChart("Learning rate, share of each group’s own", [Steps("rate", "rate", 5)]).Render(),
        ];
        return new Section(
            "training",
            "Training",
            Html.Of($"<b>{shown}</b>{(best is { } at ? Html.Of($"; its best step on validation is {at.X:0}, and the weights of that step are the ones converted and scored{Mixture(curves)}") : Html.Empty)}.{Validated(data, shown)}{Stopped(data)}"),
            Html.Of($"<div class=\"charts\">{own}</div>{(validated < LeastForCurve ? Html.Empty : AllArms(data))}"));

        ChartSeries Steps(string name, string figure, int colour) => Line(curves, "steps", figure, colour, name);
    }

    private static double? FewestValidated(ReportData data) => data.Units.Where(unit => unit.Stage == "fine-tuning").Min(unit => Fewest(unit.Figures));

    private static double? Fewest(JsonNode figures) => new[] { figures.Number("cleanValidationImages"), figures.Number("attackValidationImages") }.Min();

    private static string Validated(ReportData data, string shown)
    {
        if (data.Units.FirstOrDefault(unit => unit.Stage == "fine-tuning" && unit.Unit == shown)?.Figures is not { } figures || Fewest(figures) is not { } fewest)
        {
            return "";
        }

        var counts = $" Validation saw {Written.Count(figures.Number("cleanValidationImages"))} clean pictures and {Written.Count(figures.Number("attackValidationImages"))} attacks";
        return fewest < LeastForCurve ? $"{counts}: too few for a curve, and a weak reason to choose a step or an arm by. Add images." : $"{counts}.";
    }

    private static string Mixture(JsonNode curves) => curves.Number("alpha") is { } alpha and < 1 ? $", mixed with the base’s ({Written.Number(alpha)} tuned), which validation preferred" : "";

    private static Html Stopped(ReportData data)
    {
        var stopped = data.Curves.Where(entry => entry.Value.Text("stopped") is not null).ToArray();
        return stopped.Length == 0
            ? Html.Empty
            : Html.Of($" {stopped.Select(entry => Html.Of($"<strong>{entry.Key} {entry.Value.Text("stopped")!}</strong>; it was stopped there and its last sound checkpoint kept. "))}");
    }

    private static Html AllArms(ReportData data)
    {
        if (data.Curves.Count < 2)
        {
            return Html.Empty;
        }

        string[] kinds = [.. data.Curves.Values.Select(Kind).Distinct().Order(StringComparer.Ordinal)];
        LineChart Chart(string title, string figure) => new(title, [.. data.Curves.Select(entry => Arm(entry.Key, entry.Value, figure, kinds))]) { Share = true };
        return Html.Of($"<h3>All arms on validation <small>random controls are dashed</small></h3><div class=\"charts\">{Chart("Accuracy under attack", "attacked").Render()}{Chart("Clean accuracy", "clean").Render()}</div>");
    }

    private static ChartSeries Arm(string unit, JsonNode curves, string figure, string[] kinds) =>
        Line(curves, "validation", figure, Array.IndexOf(kinds, Kind(curves)) % Colours, unit) with
        {
            Dashed = ArmName.IsControl(curves.Text("arm")),
        };

    private static string Kind(JsonNode curves) => ArmName.Informed(curves.Text("arm") ?? "");

    private static ChartSeries Line(JsonNode curves, string list, string figure, int colour, string name) => new(
        name,
        [.. curves.Items(list).Select(point => (X: point.Number("step") ?? 0, Y: point.Number(figure) ?? double.NaN)).Where(point => double.IsFinite(point.Y))],
        colour);
}
