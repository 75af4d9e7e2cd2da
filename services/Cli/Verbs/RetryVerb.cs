using System.CommandLine;
using ClipSae.Cli.CommandLine;
using ClipSae.Cli.Running;

namespace ClipSae.Cli.Verbs;

/// <summary>Tries the failed stage of a run again.</summary>
internal sealed class RetryVerb : Verb
{
    private readonly Argument<string> _run = RunArgument.Create();

    public RetryVerb()
        : base(
            "retry",
            "Try a failed or cancelled run again from the stage that did not finish; what it finished is reused. A stalled run continues.",
            "clipsae retry latest",
            "clipsae retry 20261124-091500-1f0c5a7be914"
        ) => Add(_run);

    public override async Task<int> ExecuteAsync(ParseResult arguments, Session session, CancellationToken cancel)
    {
        await using var runtime = Workplace.Open(session);
        var failed = await Workplace.FindRunAsync(runtime, arguments.GetValue(_run)!, cancel);
        await runtime.ConnectAsync(cancel);
        var run = await Workplace.CheckedAsync(() => runtime.RetryAsync(failed, cancel));
        session.Tell(run == failed ? $"continuing run {run}" : $"run {run} tries {failed} again");
        return await new RunExecution(session, runtime).FollowAsync(run, cancel);
    }
}
