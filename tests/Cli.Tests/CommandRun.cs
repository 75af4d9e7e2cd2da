using System.Text.Json.Nodes;
using ClipSae.Cli.CommandLine;

namespace ClipSae.Cli.Tests;

/// <summary>One call of the command in this process, with what it wrote.</summary>
internal sealed record CommandRun(int Code, string Out, string Error)
{
    public JsonObject Json => JsonNode.Parse(Out)!.AsObject();

    public static async Task<CommandRun> OfAsync(params string[] args)
    {
        var (output, error) = (new StringWriter(), new StringWriter());
        var code = await Application.RunAsync(args, new ConsoleStreams(output, error, false, _ => null), TimeProvider.System);
        return new CommandRun(code, output.ToString(), error.ToString());
    }
}
