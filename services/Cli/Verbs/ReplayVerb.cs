using System.CommandLine;
using ClipSae.Cli.CommandLine;
using ClipSae.Cli.Running;

namespace ClipSae.Cli.Verbs;

/// <summary>Runs a run again, changed from a stage on, or several runs with the same change.</summary>
internal sealed class ReplayVerb : Verb
{
    private readonly Argument<string[]> _runs = RunArgument.CreateSeveral();
    private readonly ValueOption<string?> _from = new("--from", "STAGE", "First stage to run again [default: the first stage]");
    private readonly Option<bool> _verify = new("--verify")
    {
        Description = "Compute again even what is stored, and fail where a digest differs",
    };
    private readonly ValueOption<string[]> _set = new(
        "--set",
        "SECTION.KEY=VALUE",
        "Change a parameter, for example sae.k=16; may be given several times"
    );

    public ReplayVerb()
        : base(
            "replay",
            "Repeat runs from a stage on, with changed parameters: only what the change affects is computed.",
            "clipsae replay latest --from sae --set sae.k=16",
            "clipsae replay 20261124-091500-1f0c5a7be914 --from fine-tuning --set tuning.steps=200",
            "clipsae replay 20261124-091500 20261125-101500 --from evaluation",
            "clipsae replay latest --from attack-curation --verify"
        )
    {
        Add(_runs, _from, _set, _verify);
    }

    public override async Task<int> ExecuteAsync(ParseResult arguments, Session session, CancellationToken cancel)
    {
        await using var runtime = Workplace.Open(session);
        var (from, changes, verify) = (arguments.GetValue(_from), arguments.GetValue(_set) ?? [], arguments.GetValue(_verify));
        var execution = new RunExecution(session, runtime);

        // All are checked before any begins, and all have started before one is waited for.
        var origins = new List<(string Origin, string? Unfinished)>();
        foreach (var given in arguments.GetValue(_runs)!)
        {
            var origin = await Workplace.FindRunAsync(runtime, given, cancel);
            if (!origins.Exists(known => known.Origin == origin))
            {
                origins.Add((origin, await UnfinishedAsync(origin)));
            }
        }

        var runs = new List<string>();
        foreach (var (origin, unfinished) in origins)
        {
            runs.Add(unfinished is not null && await execution.TryResumeAsync(unfinished, cancel) ? unfinished : await BeginAsync(origin));
        }

        return await execution.FollowAsync(runs, cancel);

        async Task<string> BeginAsync(string origin)
        {
            await runtime.ConnectAsync(cancel);
            var run = await Workplace.CheckedAsync(() => runtime.ReplayAsync(origin, from, changes, verify, cancel));
            session.Tell($"run {run} replays {origin}");
            return run;
        }

        // After an interruption the replay itself is the latest run: 'latest' then means what it meant before, the run that is replayed.
        async Task<string?> UnfinishedAsync(string named)
        {
            var state = await runtime.StateAsync(named, cancel);
            string[] candidates = state is { End: null, CancelRequested: false, Start.Spec.Origin: { } replayed }
                ? [named, replayed.Run]
                : [named];
            foreach (var candidate in candidates)
            {
                if (
                    await Workplace.CheckedAsync(() => runtime.FindUnfinishedReplayAsync(candidate, from, changes, verify, cancel)) is
                    { } found
                )
                {
                    return found;
                }
            }

            return null;
        }
    }
}
