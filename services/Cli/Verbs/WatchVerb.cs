using System.CommandLine;
using ClipSae.Cli.CommandLine;
using ClipSae.Cli.Running;

namespace ClipSae.Cli.Verbs;

/// <summary>Follows a run, whichever process works on it.</summary>
internal sealed class WatchVerb : Verb
{
    private readonly Argument<string> _run = RunArgument.Create();

    public WatchVerb()
        : base(
            "watch",
            "Follow a run that another process is working on, until it ends. Stopping this command does not affect the run.",
            "clipsae watch latest",
            "clipsae watch 20261124-091500-1f0c5a7be914"
        ) => Add(_run);

    public override bool Computes => false;

    public override async Task<int> ExecuteAsync(ParseResult arguments, Session session, CancellationToken cancel)
    {
        await using var runtime = Workplace.Open(session);
        var run = await Workplace.FindRunAsync(runtime, arguments.GetValue(_run)!, cancel);
        return await new RunExecution(session, runtime).FollowAsync(run, cancel);
    }
}
