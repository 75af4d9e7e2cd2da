using System.Text.Json.Nodes;
using Spectre.Console;

namespace ClipSae.Cli.Output;

/// <summary>What a verb reports of a run beyond what every verb reports.</summary>
internal interface ISupplement
{
    /// <summary>For <c>--json</c>.</summary>
    void AddTo(JsonObject answer);

    /// <summary>For people.</summary>
    void Write(IAnsiConsole console);
}
