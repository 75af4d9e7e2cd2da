using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using ClipSae.Cli.CommandLine;
using ClipSae.Cli.Output;
using ClipSae.Cli.Running;

namespace ClipSae.Cli.Verbs;

/// <summary>Says for each unit of a run whether it was computed or taken from the store, and why.</summary>
internal sealed class ExplainVerb : Verb
{
    private readonly Argument<string> _run = RunArgument.Create();

    public ExplainVerb()
        : base(
            "explain",
            "Say for each stage of a run whether it was computed or taken from the store, and why.",
            "clipsae explain latest",
            "clipsae explain latest --json"
        ) => Add(_run);

    public override bool Computes => false;

    public override async Task<int> ExecuteAsync(ParseResult arguments, Session session, CancellationToken cancel)
    {
        await using var runtime = Workplace.Open(session);
        var run = await Workplace.FindRunAsync(runtime, arguments.GetValue(_run)!, cancel);
        var summary = new RunSummary(run, await runtime.StateAsync(run, cancel));
        var units = summary.Stages();
        await foreach (var explained in runtime.ExplainAsync(run, cancel))
        {
            var entry = units.First(unit =>
                unit!["stage"]!.GetValue<string>() == explained.Finished.Stage
                && unit["unit"]!.GetValue<string>() == explained.Finished.Unit
            )!;
            entry["keyParts"] = JsonSerializer.SerializeToNode(explained.Parts, ContractJson.Options);
        }

        session.Answer(
            new JsonObject
            {
                ["runId"] = run,
                ["origin"] = summary.State.Start?.Spec.Origin?.Run,
                ["stages"] = units,
            },
            console =>
            {
                foreach (var line in summary.StageLines())
                {
                    console.WriteUnfolded(line);
                }
            }
        );
        return ExitCode.Done;
    }
}
