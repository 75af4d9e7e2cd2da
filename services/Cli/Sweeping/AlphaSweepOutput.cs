using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using ClipSae.Cli.Output;
using ClipSae.Reporting.Charts;
using ClipSae.WeightConversion;

namespace ClipSae.Cli.Sweeping;

/// <summary>A sweep as a table, as JSON and as a chart.</summary>
internal static class AlphaSweepOutput
{
    public static NumberTable Table(AlphaSweepResult sweep)
    {
        var table = new NumberTable(
            "α",
            ["validation\nclean", "validation\nattacked", .. Shown(sweep).Select(set => set.Name.Replace('-', '\n'))]
        );
        for (var place = 0; place < sweep.Alphas.Count; place++)
        {
            var chosen = sweep.Alphas[place] == sweep.Chosen.Alpha;
            string[] cells =
            [
                Amounts.Share(sweep.Validation[place].Clean),
                Amounts.Share(sweep.Validation[place].Attacked),
                .. Shown(sweep).Select(set => Amounts.Share(sweep.Scores[place][set.Set.Name].Accuracy.Value)),
            ];
            table.Add(Alpha(sweep.Alphas[place]) + (chosen ? " (chosen)" : ""), cells, chosen ? "bold green" : "");
        }

        return table;
    }

    public static JsonObject Json(AlphaSweepResult sweep) =>
        new()
        {
            ["rule"] = sweep.Rule.ToString(),
            ["cleanTolerance"] = sweep.Rule.CleanTolerance,
            ["chosen"] = JsonSerializer.SerializeToNode(sweep.Chosen, ContractJson.Options),
            ["validation"] = JsonSerializer.SerializeToNode(sweep.Validation, ContractJson.Options),
            ["models"] = new JsonArray([
                .. sweep.Alphas.Select(
                    (alpha, place) =>
                        new JsonObject
                        {
                            ["alpha"] = alpha,
                            ["validation"] = Sets(sweep, place, chooses: true),
                            ["evaluation"] = Sets(sweep, place, chooses: false),
                        }
                ),
            ]),
        };

    /// <summary>The frontier as the text of an SVG file.</summary>
    public static string Chart(AlphaSweepResult sweep)
    {
        FrontierChart.Line[] lines =
        [
            Line("validation (chooses α)", sweep.Validation),
            .. sweep.Test.Count > 0 ? new[] { Line("evaluation", sweep.Test) } : [],
        ];
        return new FrontierChart(lines, sweep.Chosen.Alpha, sweep.Rule.Floor(sweep.Validation)).ToSvg();
    }

    private static FrontierChart.Line Line(string name, IReadOnlyList<FrontierPoint> points) =>
        new(name, [.. points.Select(point => new FrontierChart.Point(point.Alpha, point.Clean, point.Attacked))]);

    private static IEnumerable<SweepSet> Shown(AlphaSweepResult sweep) => sweep.Sets.Where(set => !set.Chooses);

    private static JsonObject Sets(AlphaSweepResult sweep, int place, bool chooses) =>
        new(
            sweep
                .Sets.Where(set => set.Chooses == chooses)
                .Select(set =>
                    KeyValuePair.Create(set.Name, JsonSerializer.SerializeToNode(sweep.Scores[place][set.Set.Name], ContractJson.Options))
                )
        );

    private static string Alpha(double alpha) =>
        alpha switch
        {
            0 => "0 (base)",
            1 => "1 (tuned)",
            _ => alpha.ToString("0.###", CultureInfo.InvariantCulture),
        };
}
