using ClipSae.Pages;
using ClipSae.Reporting.Charts;
using ClipSae.Reporting.Data;
using ClipSae.Results.Tuning;

namespace ClipSae.Reporting.Sections;

/// <summary>Losses, gradient norms and drift of the chosen model, and the validation of all arms.</summary>
internal static class TrainingCurves
{
    private const int Colours = 6;

    // With fewer, a picture more or less is a jump of five points and more.
    private const int MinForCurve = 20;

    public static Section? Render(ReportData data)
    {
        if (data.Curves.Count == 0)
        {
            return null;
        }

        var tuned = data.Results?.Tuned;
        var shown = tuned is not null && data.Curves.ContainsKey(tuned) ? tuned : data.Curves.Keys.First();
        var curves = data.Curves[shown];
        (double X, double Y)? best = curves.Best is { } chosen ? (chosen.Step, chosen.Score) : null;
        var validated = MinValidated(data);
        Html[] own =
        [
            new LineChart(
                "Loss",
                [
                    Steps("all", step => step.Loss, 0),
                    Steps("clean half", step => step.CleanLoss, 1),
                    Steps("attack half", step => step.AttackLoss, 2),
                    Steps("penalty", step => step.Penalty, 3),
                ]
            ).Render(),
            validated < MinForCurve
                ? Html.Empty
                : new LineChart(
                    "Validation",
                    [
                        Validations(curves, at => at.Clean, 1, "no print"),
                        Validations(curves, at => at.Attacked, 2, "attacked"),
                        Validations(curves, at => at.Score, 0, "score") with
                        {
                            Mark = best,
                        },
                    ]
                )
                {
                    Share = true,
                }.Render(),
            new LineChart("Gradient norm, unscaled", [Steps("norm", step => step.GradientNorm, 0)]) { Logarithmic = true }.Render(),
            new LineChart(
                "Drift of the geometry",
                [
                    Line("direction θ", curves.Drift.Select(at => ((double)at.Step, (double?)at.Theta)), 0),
                    Line("length r", curves.Drift.Select(at => ((double)at.Step, (double?)at.Radius)), 4),
                ]
            ).Render(),
            new LineChart("Learning rate, share of each group’s own", [Steps("rate", step => step.LearningRate, 5)]).Render(),
        ];
        return new Section(
            "training",
            "Training",
            Html.Of(
                $"<b>{shown}</b>{(best is { } at ? $"; its best step on validation is {at.X:0}, {Used(curves)}" : "")}."
                    + $"{Validated(data, shown)}{Stopped(data)}"
            ),
            Html.Of($"<div class=\"charts\">{own}</div>{(validated < MinForCurve ? Html.Empty : AllArms(data))}")
        );

        ChartSeries Steps(string name, Func<StepMetrics, double?> metric, int colour) =>
            Line(name, curves.Steps.Select(step => ((double)step.Step, metric(step))), colour);
    }

    private static int? MinValidated(ReportData data) => data.Tuning.Min(unit => Fewest(unit.Value));

    private static int? Fewest(TuningMetrics metrics) => new[] { metrics.CleanValidationImages, metrics.AttackValidationImages }.Min();

    private static string Validated(ReportData data, string shown)
    {
        if (data.Tuning.FirstOrDefault(unit => unit.Key == shown).Value is not { } metrics || Fewest(metrics) is not { } fewest)
        {
            return "";
        }

        var counts =
            $" Validation saw {Written.Count(metrics.CleanValidationImages)} clean pictures "
            + $"and {Written.Count(metrics.AttackValidationImages)} attacks";
        return fewest < MinForCurve
            ? $"{counts}: too few for a curve, and a weak reason to choose a step or an arm by. Add images."
            : $"{counts}.";
    }

    private static string Used(TuningCurves curves) =>
        "and the weights of that step are the ones converted and scored"
        + (curves.Alpha is < 1 and var alpha ? $", mixed with the base’s ({Written.Number(alpha)} tuned), which validation preferred" : "");

    private static Html Stopped(ReportData data)
    {
        var stopped = Html.Each(data.Curves.Where(entry => entry.Value.Stopped is not null), entry =>
            $"<strong>{entry.Key} {entry.Value.Stopped!}</strong>; it was stopped there and its last sound checkpoint kept. "
        );
        return stopped.Text.Length == 0 ? Html.Empty : Html.Of($" {stopped}");
    }

    private static Html AllArms(ReportData data)
    {
        if (data.Curves.Count < 2)
        {
            return Html.Empty;
        }

        string[] kinds = [.. data.Curves.Values.Select(Kind).Distinct().Order(StringComparer.Ordinal)];
        LineChart Chart(string title, Func<TuningValidation, double> metric) =>
            new(title, [.. data.Curves.Select(entry => Arm(entry.Key, entry.Value, metric, kinds))]) { Share = true };
        return Html.Of(
            $"<h3>All arms on validation <small>random controls are dashed</small></h3><div class=\"charts\">"
                + $"{Chart("Accuracy under attack", at => at.Attacked).Render()}{Chart("Clean accuracy", at => at.Clean).Render()}</div>"
        );
    }

    private static ChartSeries Arm(string unit, TuningCurves curves, Func<TuningValidation, double> metric, string[] kinds) =>
        Validations(curves, metric, Array.IndexOf(kinds, Kind(curves)) % Colours, unit) with
        {
            Dashed = ArmName.IsControl(curves.Arm),
        };

    private static string Kind(TuningCurves curves) => ArmName.Informed(curves.Arm);

    private static ChartSeries Validations(TuningCurves curves, Func<TuningValidation, double> metric, int colour, string name) =>
        Line(name, curves.Validation.Select(at => ((double)at.Step, (double?)metric(at))), colour);

    private static ChartSeries Line(string name, IEnumerable<(double X, double? Y)> points, int colour) =>
        new(name, [.. points.Where(point => point.Y is not null).Select(point => (point.X, point.Y!.Value))], colour);
}
