using System.CommandLine;
using System.Text.Json.Nodes;
using ClipSae.Cli.CommandLine;
using ClipSae.Cli.Output;
using ClipSae.Cli.Running;

namespace ClipSae.Cli.Verbs;

/// <summary>Asks a run to stop for good.</summary>
internal sealed class CancelVerb : Verb
{
    private readonly Argument<string> _run = RunArgument.Create();
    private readonly ValueOption<string> _reason = new("--reason", "TEXT", "Kept with the run", "asked by the user");

    public CancelVerb()
        : base(
            "cancel",
            "Stop a run for good, whichever process is working on it. What it finished stays stored.",
            "clipsae cancel latest",
            "clipsae cancel 20261124-091500-1f0c5a7be914 --reason \"wrong data\""
        )
    {
        Add(_run, _reason);
    }

    public override bool Computes => false;

    public override async Task<int> ExecuteAsync(ParseResult arguments, Session session, CancellationToken cancel)
    {
        await using var runtime = Workplace.Open(session);
        var run = await Workplace.FindRunAsync(runtime, arguments.GetValue(_run)!, cancel);
        var isAsked = await runtime.CancelAsync(run, arguments.GetValue(_reason)!, cancel);
        session.Answer(new JsonObject { ["runId"] = run, ["cancelled"] = isAsked }, console =>
            console.WriteUnfolded(isAsked ? $"run {run} was asked to stop" : $"run {run} had ended already")
        );
        return ExitCode.Done;
    }
}
