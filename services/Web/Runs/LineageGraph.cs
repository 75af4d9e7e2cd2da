using ClipSae.Pages;
using ClipSae.Pipeline.Runs;
using ClipSae.Web.Records;
using ClipSae.Web.Shell;

namespace ClipSae.Web.Runs;

/// <summary>
/// The stages of a run and the runs that it is linked with as a picture: what a stage takes its inputs from is left of it. Every node is a
/// link, so that the keyboard reaches it; the table below says the same in words.
/// </summary>
internal static class LineageGraph
{
    private const int NodeWidth = 184;
    private const int NodeHeight = 46;
    private const int Across = 48;
    private const int Down = 18;
    private const int Margin = 8;

    /// <summary>A node.</summary>
    /// <param name="Name">Of the stage or run.</param>
    /// <param name="State">Stands below it.</param>
    /// <param name="Css">How it is drawn.</param>
    /// <param name="Address">Where its link leads.</param>
    /// <param name="Sources">Nodes that it takes something from, by name.</param>
    internal sealed record Node(string Name, string State, string Css, string Address, IReadOnlyList<string> Sources);

    public static Html Render(RunRecord record)
    {
        if (record.State.Start is not { } start)
        {
            return Html.Empty;
        }

        const string Inputs = "inputs";
        var nodes = new List<Node>
        {
            new(
                Inputs,
                start.Spec.Inputs.Count == 1 ? "1 file" : $"{Written.Count(start.Spec.Inputs.Count)} files",
                "given",
                $"/runs/{record.Run}/units",
                []
            ),
        };
        foreach (var stage in record.State.StagesInOrder())
        {
            string[] sources =
            [
                .. Selectors(stage.Plan)
                    .Select(selector => InputSource.Parse(selector.From) is InputSource.StageOutput output ? output.Stage : Inputs)
                    .Distinct(StringComparer.Ordinal),
            ];
            var (css, state) = State(stage);
            nodes.Add(
                new Node(stage.Plan.Stage, state, css, PageShell.Address($"/runs/{record.Run}/units", ("stage", stage.Plan.Stage)), sources)
            );
        }

        return Draw(nodes, $"Lineage of {record.Run}");
    }

    /// <summary>Draws nodes, each in the column after the last of its sources.</summary>
    internal static Html Draw(IReadOnlyList<Node> nodes, string title)
    {
        var columns = new Dictionary<string, int>(StringComparer.Ordinal);
        var rows = new Dictionary<int, int>();
        var places = new Dictionary<string, (int X, int Y)>(StringComparer.Ordinal);
        foreach (var node in nodes)
        {
            var column = node.Sources.Where(columns.ContainsKey).Select(source => columns[source] + 1).DefaultIfEmpty(0).Max();
            var row = rows.GetValueOrDefault(column);
            (columns[node.Name], rows[column]) = (column, row + 1);
            places[node.Name] = (Margin + (column * (NodeWidth + Across)), Margin + (row * (NodeHeight + Down)));
        }

        var (width, height) = (
            places.Values.Max(place => place.X) + NodeWidth + Margin,
            places.Values.Max(place => place.Y) + NodeHeight + Margin
        );
        return Html.Wide(
            title,
            Html.Of(
                $"""
                <svg class="lineage" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="group" aria-label="{title}">
                {nodes.SelectMany(node => node.Sources.Where(places.ContainsKey).Select(source => Edge(places[source], places[node.Name])))}
                {nodes.Select(node => Box(node, places[node.Name]))}</svg>
                """
            )
        );
    }

    private static Html Edge((int X, int Y) from, (int X, int Y) to)
    {
        var (x, y, toY) = (from.X + NodeWidth, from.Y + (NodeHeight / 2), to.Y + (NodeHeight / 2));
        return Html.Of($"<path class=\"edge\" d=\"M{x} {y}C{x + (Across / 2)} {y} {to.X - (Across / 2)} {toY} {to.X} {toY}\"/>");
    }

    private static Html Box(Node node, (int X, int Y) at) =>
        Html.Of(
            $"""
            <a class="node {node.Css}" href="{node.Address}"><rect x="{at.X}" y="{at.Y}" width="{NodeWidth}" height="{NodeHeight}" rx="9"/><text class="name" x="{at.X
                + 12}" y="{at.Y + 19}">{Short(node.Name)}</text><text class="tick" x="{at.X + 12}" y="{at.Y + 35}">{Short(
                node.State
            )}</text></a>
            """
        );

    private static (string Css, string State) State(StageState stage)
    {
        UnitFinished[] finished = [.. stage.FinishedUnits()];
        var cached = finished.Count(unit => unit.Cache.Kind is CacheKind.Hit);
        return stage.FailedUnits().Any() ? ("failed", "failed")
            : !stage.IsComplete ? ("waiting", $"{Written.Count(finished.Length)} of {Written.Count(stage.Plan.Units.Count)} units")
            : cached == finished.Length ? ("cached", "from cache")
            : ("done", cached > 0 ? $"done, {Written.Count(cached)} of {Written.Count(finished.Length)} from cache" : "done");
    }

    // All units of a stage take outputs of the same stages.
    private static IEnumerable<InputSelector> Selectors(StagePlan plan) =>
        plan.Inputs.Concat(plan.Units.Take(1).SelectMany(unit => unit.Inputs));

    private static string Short(string text)
    {
        const int Letters = 26;
        return text.Length <= Letters ? text : text[..(Letters - 1)] + "…";
    }
}
