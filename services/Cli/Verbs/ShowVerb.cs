using System.CommandLine;
using ClipSae.Cli.CommandLine;
using ClipSae.Cli.Running;

namespace ClipSae.Cli.Verbs;

/// <summary>Shows what a run gave.</summary>
internal sealed class ShowVerb : Verb
{
    private readonly Argument<string> _run = RunArgument.Create();

    public ShowVerb()
        : base(
            "show",
            "Show a run's scores, stages and report.",
            "clipsae show latest",
            "clipsae show 20261124-091500-1f0c5a7be914 --json"
        ) => Add(_run);

    public override bool Computes => false;

    public override async Task<int> ExecuteAsync(ParseResult arguments, Session session, CancellationToken cancel)
    {
        await using var runtime = Workplace.Open(session);
        var run = await Workplace.FindRunAsync(runtime, arguments.GetValue(_run)!, cancel);
        return await new RunExecution(session, runtime).ShowAsync(run, cancel);
    }
}
