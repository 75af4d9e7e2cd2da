using System.Text.Json.Nodes;
using Spectre.Console;

namespace ClipSae.Cli.Output;

/// <summary>What a verb tells of a run beyond what every run tells.</summary>
internal interface ISupplement
{
    /// <summary>For <c>--json</c>.</summary>
    void AddTo(JsonObject answer);

    /// <summary>For people.</summary>
    void Write(IAnsiConsole console);
}
