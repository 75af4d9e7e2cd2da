using System.Text.Json.Nodes;

namespace ClipSae.Reporting;

/// <summary>A figure with its 95 % interval, as the evaluation stored it.</summary>
internal sealed record Figure(double Value, double? Low, double? High)
{
    public static Figure? Of(JsonNode? node) => node.Number("value") is { } value ? new Figure(value, node.Number("low"), node.Number("high")) : null;

    /// <summary>The value as a percentage, its interval small below.</summary>
    public Html Cell() => Html.Of($"<span class=\"v\">{Written.Percent(Value)}</span><span class=\"ci\">{Written.Range(Low, High)}</span>");

    /// <summary>A table cell for a figure that may be missing.</summary>
    public static Html Cell(Figure? figure, string? css = null) => Html.Of($"<td class=\"n {css}\">{figure?.Cell() ?? Html.Of($"{Written.Missing}")}</td>");
}
