using System.CommandLine;
using ClipSae.Hosting;

namespace ClipSae.Cli;

/// <summary>Runs a run again, changed from a stage on.</summary>
internal sealed class ReplayVerb : Verb
{
    private readonly Argument<string> _run = RunArgument.Create();
    private readonly Option<string?> _from = new("--from") { Description = "First stage to run again [default: the first stage]", HelpName = "STAGE" };
    private readonly Option<bool> _verify = new("--verify") { Description = "Compute again even what is stored, and fail where a digest differs" };
    private readonly Option<string[]> _set = new("--set") { Description = "Change a parameter, for example sae.k=16; may be given several times", HelpName = "SECTION.KEY=VALUE" };

    public ReplayVerb()
        : base(
            "replay",
            "Repeat a run from a stage on, with changed parameters: only what the change affects is computed.",
            "clipsae replay latest --from sae --set sae.k=16",
            "clipsae replay 20261124-091500-1f0c5a7be914 --from fine-tuning --set tuning.steps=200",
            "clipsae replay latest --from attack-curation --verify")
    {
        Add(_run);
        Add(_from);
        Add(_set);
        Add(_verify);
    }

    public override async Task<int> ExecuteAsync(ParseResult arguments, Session session, CancellationToken cancel)
    {
        await using var runtime = Workplace.Open(session);
        var origin = await Workplace.FindRunAsync(runtime, arguments.GetValue(_run)!, cancel);
        var (from, changes, verify) = (arguments.GetValue(_from), arguments.GetValue(_set) ?? [], arguments.GetValue(_verify));
        var execution = new RunExecution(session, runtime);
        if (await UnfinishedAsync(runtime, origin, cancel) is { } unfinished && await execution.TryGoOnAsync(unfinished, cancel) is { } code)
        {
            return code;
        }

        await runtime.ConnectAsync(cancel);
        var run = await Workplace.CheckedAsync(() => runtime.ReplayAsync(origin, from, changes, verify, cancel));
        session.Tell($"run {run} replays {origin}");
        return await execution.FollowAsync(run, cancel);

        // After an interruption the replay itself is the latest run: 'latest' then means what it meant before, the run that is replayed.
        async Task<string?> UnfinishedAsync(ClipSaeRuntime runtime, string named, CancellationToken cancel)
        {
            var state = await runtime.StateAsync(named, cancel);
            string[] origins = state is { End: null, CancelRequested: false, Start.Origin: { } replayed } ? [named, replayed.Run] : [named];
            foreach (var candidate in origins)
            {
                if (await Workplace.CheckedAsync(() => runtime.FindUnfinishedReplayAsync(candidate, from, changes, verify, cancel)) is { } found)
                {
                    return found;
                }
            }

            return null;
        }
    }
}
