using System.Text.Json.Nodes;
using ClipSae.Cli.CommandLine;
using ClipSae.Cli.Output;
using ClipSae.Hosting.Runs;
using ClipSae.Hosting.Service;
using ClipSae.Pipeline.Runs;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Spectre.Console;

namespace ClipSae.Cli.Running;

/// <summary>Starts or continues with a run, shows its progress, and gives the verb's answer.</summary>
/// <param name="supplement">What the verb reports of its run beyond what every verb reports.</param>
internal sealed class RunExecution(
    Session session,
    ClipSaeRuntime runtime,
    Func<RunSummary, CancellationToken, Task<ISupplement?>>? supplement = null
)
{
    private static readonly TimeSpan BetweenLooksAtWorkers = TimeSpan.FromSeconds(10);
    private readonly ILogger _log = runtime.Services.GetRequiredService<ILoggerFactory>().CreateLogger("workers");

    /// <summary>Runs what is asked for; where the same was asked for before and has not ended, continues with that.</summary>
    public Task<int> RunAsync(RunSpec spec, CancellationToken cancel) => RunAsync(spec, null, cancel);

    /// <summary>As <see cref="RunAsync(RunSpec, CancellationToken)"/>, with a plan of the verb's own.</summary>
    public async Task<int> RunAsync(RunSpec spec, RunPlan? plan, CancellationToken cancel)
    {
        var unfinished = await Workplace.CheckedAsync(() => runtime.FindUnfinishedAsync(spec, plan, cancel));
        if (unfinished is not null && await TryGoOnAsync(unfinished, cancel) is { } code)
        {
            return code;
        }

        await runtime.ConnectAsync(cancel);
        var run = await Workplace.CheckedAsync(() => runtime.SubmitAsync(spec, plan, cancel));
        session.Tell($"run {run}");
        return await FollowAsync(run, cancel);
    }

    /// <summary>Goes on with an unfinished run and follows it.</summary>
    /// <returns>The exit code; null where the run has ended meanwhile.</returns>
    public async Task<int?> TryGoOnAsync(string unfinished, CancellationToken cancel) =>
        await TryResumeAsync(unfinished, cancel) ? await FollowAsync(unfinished, cancel) : null;

    /// <summary>Goes on with an unfinished run.</summary>
    /// <returns>Whether it can be followed; not where it has ended meanwhile.</returns>
    public async Task<bool> TryResumeAsync(string unfinished, CancellationToken cancel)
    {
        session.Tell($"continuing run {unfinished}");
        switch (await runtime.ResumeAsync(unfinished, cancel))
        {
            case ResumeOutcome.Ended:
                return false;
            case ResumeOutcome.WorkedOnElsewhere:
                session.Tell("another process is working on it; watching");
                break;
        }

        return true;
    }

    /// <summary>Shows a run until it ends, then answers with what it gave.</summary>
    public Task<int> FollowAsync(string run, CancellationToken cancel) => FollowAsync([run], cancel);

    /// <summary>Shows runs until they end, one after the other, then answers with what they gave: of several as <c>runs</c>.</summary>
    public async Task<int> FollowAsync(IReadOnlyList<string> runs, CancellationToken cancel)
    {
        var outcomes = new List<Outcome>();
        foreach (var run in runs)
        {
            outcomes.Add(await OutcomeAsync(run, await IsAbandonedAsync(run, cancel), cancel));
        }

        var json =
            outcomes.Count == 1
                ? outcomes[0].Json
                : new JsonObject { ["runs"] = new JsonArray([.. outcomes.Select(outcome => outcome.Json)]) };
        session.Answer(json, console =>
        {
            foreach (var outcome in outcomes)
            {
                outcome.Write(console);
            }
        });
        return outcomes.Exists(outcome => outcome.IsFailed) ? ExitCode.Failed : ExitCode.Done;
    }

    /// <summary>Shows a run until it ends or nobody works on it.</summary>
    private async Task<bool> IsAbandonedAsync(string run, CancellationToken cancel)
    {
        var board = new RunBoard();
        var following = FoldAsync(run, board, cancel);
        var watching = TellOfWorkersAsync(run, following, cancel);
        await new ProgressDisplay(session, board, await runtime.PaceAsync(run, cancel)).ShowAsync(following);
        var isAbandoned = await AwaitAsync(following, run);
        await watching;
        return isAbandoned;
    }

    /// <summary>
    /// Answers with what a run has given so far, its stages included. A failed run is shown as it is: showing it succeeds.
    /// </summary>
    public async Task<int> ShowAsync(string run, CancellationToken cancel)
    {
        var summary = new RunSummary(run, await runtime.StateAsync(run, cancel));
        var folder = new RunFolder(session.DataFolder, run);
        var report = await folder.ExportAsync(runtime.Artifacts, summary, cancel);
        var json = summary.ToJson(report);
        json["error"] = Problem(summary, isAbandoned: false);
        var problems = await runtime.WorkerProblemsAsync(run, cancel);
        json["waitsFor"] = new JsonArray([.. problems.Select(waiting => (JsonNode)waiting)]);
        session.Answer(json, console =>
        {
            // A failed unit's reason stands at the unit.
            console.WriteUnfolded(
                $"run {run}: {summary.State.Status.Name()}"
                    + (summary.State.End is not RunFailed && Problem(summary, isAbandoned: false) is { } problem ? $" — {problem}" : "")
            );
            foreach (
                var line in (string[])
                    [.. summary.StageLines(), .. summary.Versions is { } versions ? [versions] : Array.Empty<string>(), .. problems]
            )
            {
                console.WriteUnfolded(line);
            }

            Write(console, summary, folder.Path, report);
        });
        return ExitCode.Done;
    }

    private async Task<Outcome> OutcomeAsync(string run, bool isAbandoned, CancellationToken cancel)
    {
        var summary = new RunSummary(run, await runtime.StateAsync(run, cancel));
        var folder = new RunFolder(session.DataFolder, run);
        var report = await folder.ExportAsync(runtime.Artifacts, summary, cancel);
        var json = summary.ToJson(report);
        var more = supplement is null ? null : await supplement(summary, cancel);
        more?.AddTo(json);
        var problem = Problem(summary, isAbandoned);
        if (problem is not null)
        {
            json["error"] = problem;
            session.Tell($"clipsae: {problem}");
        }

        return new Outcome(
            json,
            console =>
            {
                more?.Write(console);
                Write(console, summary, folder.Path, report);
            },
            problem is not null
        );
    }

    /// <summary>Says, once, which stages wait for workers that are not there, as long as the run is followed.</summary>
    private async Task TellOfWorkersAsync(string run, Task following, CancellationToken cancel)
    {
        var told = new HashSet<string>(StringComparer.Ordinal);
        while (
            await Task.WhenAny(following, Task.Delay(BetweenLooksAtWorkers, session.Time, cancel)) != following
            && !cancel.IsCancellationRequested
        )
        {
            try
            {
                foreach (var problem in (await runtime.WorkerProblemsAsync(run, cancel)).Where(told.Add))
                {
                    session.Tell(problem);
                }
            }
            catch (Exception error) when (error is not OperationCanceledException)
            {
                // Who follows the run hears from there that a server is away.
                _log.LogDebug(error, "the workers cannot be queried");
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    private async Task<bool> FoldAsync(string run, RunBoard board, CancellationToken cancel)
    {
        await foreach (var update in runtime.WatchAsync(run, cancel))
        {
            if (!board.Apply(update, session.Time.GetUtcNow()))
            {
                return true;
            }
        }

        return false;
    }

    private async Task<bool> AwaitAsync(Task<bool> following, string run)
    {
        try
        {
            return await following;
        }
        catch (OperationCanceledException error)
        {
            throw new InterruptedException(run, error);
        }
    }

    private static string? Problem(RunSummary summary, bool isAbandoned) =>
        summary.State.End switch
        {
            RunFailed failed => $"{failed.Stage}/{failed.Unit} failed: {failed.Reason}",
            RunCancelled => $"run {summary.Run} was cancelled; the same command starts it again and reuses what was finished",
            null when isAbandoned => $"no process works on run {summary.Run}; run the command that started it again to continue",
            _ => null,
        };

    private void Write(IAnsiConsole console, RunSummary summary, string folder, string? report)
    {
        if (summary.Base is { } basis && (basis.Clean is not null || basis.Attacked is not null))
        {
            ScoreTable.Create(basis, summary.IsBaseBest ? null : summary.Tuned, summary.Arms).Write(console);
            console.WriteProse(
                "clean, attacked: share of images whose object is named. attack success: share whose printed word is named instead."
            );
            console.WriteProse("word alone: share of pictures that show nothing but a word and are read as that word.");
            if (summary.Verdict is { } verdict)
            {
                console.WriteProse(verdict);
            }

            console.WriteProse(
                "held-out: the sets whose names end so; the report counts which of their words and fonts are among the attacks."
            );
            if (summary.TunedUnit is not null)
            {
                console.WriteProse($"tuned is {summary.TunedUnit}, best by validation; never chosen on the sets above.");
            }
        }
        else if (summary.TunedUnit is not null)
        {
            console.WriteProse($"tuned is {summary.TunedUnit}, best by validation; clipsae evaluate scores it on sets of yours.");
        }

        if (Reporting.Data.Movement.Of(summary.Unmoved) is { } unmoved)
        {
            console.WriteProse(unmoved);
        }

        if (summary.IsBaseBest)
        {
            console.WriteProse(
                "no model scored higher than the base on validation, "
                    + "so none is chosen as tuned and no tuned.safetensors is written; the report shows each arm's curves."
            );
        }

        if (summary.Families() is { } families)
        {
            families.Write(console);
        }

        if (summary.PrintedFamilies() is { } printed)
        {
            printed.Write(console);
        }

        if (summary.Useless is { Count: > 0 } useless)
        {
            console.WriteProse(
                $"useless autoencoders: {MissingUnits.Short(useless)} (negative explained variance). "
                    + "Use more images, more sae.epochs or a smaller sae.batchSize."
            );
        }

        foreach (var line in summary.CurationLines())
        {
            console.WriteProse(line);
        }

        foreach (var stage in summary.State.Missing().GroupBy(failed => failed.Stage, StringComparer.Ordinal))
        {
            console.WriteProse(
                $"{stage.Key} continued without {MissingUnits.Short([.. stage.Select(failed => failed.Unit)])}; "
                    + $"clipsae show {summary.Run} says why."
            );
        }

        if (summary.State.End is RunCompleted && summary.Verification is { } verification)
        {
            console.WriteProse(verification);
        }

        if (summary.IsAllCached)
        {
            console.WriteProse("Every stage was taken from the store.");
        }

        if (report is not null)
        {
            console.WriteUnfolded($"report:     {report}");
        }

        console.WriteUnfolded($"run folder: {folder}");
        console.WriteUnfolded($"in a browser: clipsae ui{(session.IsDefaultDataFolder ? "" : $" --data {session.DataFolder}")}");
    }

    /// <summary>What a run gave: for scripts, for people, and whether it failed.</summary>
    private sealed record Outcome(JsonObject Json, Action<IAnsiConsole> Write, bool IsFailed);
}
