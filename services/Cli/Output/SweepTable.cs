using System.Text.Json.Nodes;
using ClipSae.Artifacts;
using ClipSae.Pipeline;
using ClipSae.Results;
using Spectre.Console;

namespace ClipSae.Cli;

/// <summary>The autoencoders of a run side by side: how well each reconstructs, and what switching off its text-salient features does.</summary>
internal sealed class SweepTable : ISupplement
{
    private static readonly (string Key, string Title, Func<double, string> Format)[] Columns =
    [
        ("latents", "features", Amounts.Whole), ("explainedVariance", "explained\nvariance", Share), ("cosine", "cosine", Amounts.Decimals),
        ("l0", "active\na row", Amounts.Significant), ("dead", "dead", Share),
        ("zeroShotRecovered", "zero-shot\nkept", Share), ("monosemanticity", "mono-\nsemanticity", Amounts.Decimals),
        ("salient", "text-\nsalient", Amounts.Whole), ("attackedAblated", "attacked,\nablated", Share),
        ("attackedRandom", "attacked,\nrandom out", Share), ("cleanChange", "clean,\nchange", Amounts.Points), ("cleanChangeRandom", "clean,\nrandom out", Amounts.Points), ("effect", "text\neffect", Amounts.Points),
    ];

    private readonly List<(string Name, bool IsBest, JsonObject Figures)> _rows;
    private readonly double? _attacked;

    private SweepTable(List<(string, bool, JsonObject)> rows, double? attacked) => (_rows, _attacked) = (rows, attacked);

    /// <summary>The table of what a run has given so far; null where it has no autoencoder.</summary>
    public static async Task<ISupplement?> ReadAsync(RunSummary summary, IArtifactStore store, CancellationToken cancel)
    {
        var trained = summary.Units(ParameterSections.Sae).ToArray();
        if (trained.Length == 0)
        {
            return null;
        }

        var salient = summary.Output(ParameterSections.Curation, "salient") is { } artifact
            ? await ResultFormats.Salient.ReadAsync(artifact, store.FetchAsync, cancel)
            : null;
        var layers = salient?.Layers ?? [];
        var rows = trained.Select(unit =>
        {
            var figures = unit.Figures.DeepClone().AsObject();
            // An autoencoder is shown at the share of its features that acts most.
            if (layers.Where(row => row.Sae == unit.Unit).MaxBy(row => row.Effect) is { } row)
            {
                AddSalience(figures, row);
            }

            return (unit.Unit, unit.Unit == salient?.Sae, figures);
        });
        return new SweepTable(
            [.. rows.OrderByDescending(row => Number(row.figures, "effect") ?? double.NegativeInfinity).ThenByDescending(row => Number(row.figures, "explainedVariance") ?? 0)],
            layers.Count > 0 ? layers[0].Before.Attacked : null);
    }

    public void AddTo(JsonObject answer) => answer["autoencoders"] = new JsonArray([.. _rows.Select(row =>
    {
        var entry = row.Figures.DeepClone().AsObject();
        entry.Insert(0, "name", row.Name);
        entry["best"] = row.IsBest;
        return (JsonNode)entry;
    })]);

    public void Write(IAnsiConsole console)
    {
        var columns = Columns.Where(column => _rows.Any(row => Number(row.Figures, column.Key) is not null)).ToArray();
        var table = new FigureTable("autoencoder", [.. columns.Select(column => column.Title)]);
        foreach (var (name, isBest, figures) in _rows)
        {
            table.Add(name, [.. columns.Select(column => Number(figures, column.Key) is { } value ? column.Format(value) : "–")], isBest ? "bold green" : "");
        }

        table.Write(console);
        if (_rows.Select(row => Number(row.Figures, "monosemanticityBaseline")).OfType<double>().Distinct().ToArray() is { Length: > 0 } baselines)
        {
            console.WriteProse($"monosemanticity: how alike the images are that a feature fires on; any images are {string.Join(" or ", baselines.Select(Amounts.Decimals))} alike.");
        }

        if (_attacked is { } attacked)
        {
            console.WriteProse($"attacked: accuracy with a wrong word printed, {Amounts.Share(attacked)} untouched; ablated: text-salient features switched off; random out: as many random features.");
            console.WriteProse("text effect: attacked accuracy won over the random control, less twice the clean accuracy lost against it. The best goes on to curation.");
        }
    }

    private static void AddSalience(JsonObject figures, AblatedLayer row)
    {
        figures["salient"] = (double)row.Salient;
        figures["attackedAblated"] = row.Ablation.Attacked;
        figures["attackedRandom"] = row.Random.Average(draw => draw.Attacked);
        figures["cleanChange"] = row.Ablation.Clean - row.Before.Clean;
        figures["cleanChangeRandom"] = row.Random.Average(draw => draw.Clean) - row.Before.Clean;
        figures["effect"] = row.Effect;
    }

    private static string Share(double fraction) => Amounts.Share(fraction);

    private static double? Number(JsonObject figures, string key) => figures[key] is JsonValue value && value.TryGetValue<double>(out var number) ? number : null;
}
