using ClipSae.Hosting.Runs;
using ClipSae.Hosting.Settings;
using ClipSae.Hosting.Worker;
using ClipSae.Pipeline.Coordination;
using ClipSae.Pipeline.Events;
using ClipSae.Pipeline.Execution;
using ClipSae.Pipeline.Runs;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace ClipSae.Hosting.Service;

/// <summary>
/// The whole of ClipSae in one process: coordinator, workers, bus and a data folder. Reading starts nothing; the bus starts
/// with the first run.
/// </summary>
public sealed class EmbeddedRuntime : ClipSaeRuntime
{
    private readonly RunCoordinator _coordinator;
    private readonly RunBeginning _beginning;
    private readonly RunCancellations _cancellations;
    private readonly RunLocks _locks;
    private readonly RunWatch _watch;
    private readonly RunPoll _poll;

    private EmbeddedRuntime(IHost host)
        : base(host)
    {
        _coordinator = Services.GetRequiredService<RunCoordinator>();
        _beginning = Services.GetRequiredService<RunBeginning>();
        _cancellations = Services.GetRequiredService<RunCancellations>();
        var feed = Services.GetRequiredService<RunFeed>();
        _locks = new RunLocks(Options.DataFolder);
        _poll = new RunPoll(_coordinator, _locks, feed, Options, Time);
        _watch = new RunWatch(Events, Queries, feed, _locks.IsFree, Options, Time);
    }

    /// <summary>Makes the runtime.</summary>
    /// <param name="options">Where the data are, and how many units at once.</param>
    /// <param name="configure">Adds the coordinator and the stages, and logging where wanted.</param>
    public static EmbeddedRuntime Create(ClipSaeOptions options, Action<IServiceCollection> configure)
    {
        var builder = CreateBuilder();
        configure(builder.Services);
        builder.Services.AddClipSae(options);
        return new EmbeddedRuntime(builder.Build());
    }

    public override async Task<ResumeOutcome> ResumeAsync(string run, CancellationToken cancel = default)
    {
        var state = await Queries.StateAsync(run, cancel);
        if (state.End is not null)
        {
            return ResumeOutcome.Ended;
        }

        if (_locks.IsHeldHere(run))
        {
            return ResumeOutcome.Resumed;
        }

        if (!_locks.TryHold(run))
        {
            return ResumeOutcome.WorkedOnElsewhere;
        }

        await StartAsync(cancel);
        if (state.Status == RunStatus.Stopping)
        {
            await SettleStoppedAsync(run, state, cancel);
            return ResumeOutcome.Ended;
        }

        await _coordinator.RecoverAsync(run, cancel);
        return ResumeOutcome.Resumed;
    }

    public override async Task<bool> CancelAsync(string run, string reason = "asked by the user", CancellationToken cancel = default)
    {
        var state = await Queries.StateAsync(run, cancel);
        if (state.End is not null)
        {
            return false;
        }

        await StartAsync(cancel);
        var free = _locks.IsFree(run);
        await _coordinator.HandleAsync(run, [new RunCancelRequested(reason) { At = Time.GetUtcNow() }], cancel);
        if (free)
        {
            await SettleStoppedAsync(run, await _coordinator.StateAsync(run, cancel), cancel);
        }

        return true;
    }

    public override IAsyncEnumerable<RunUpdate> WatchAsync(string run, CancellationToken cancel = default) =>
        _watch.WatchAsync(run, cancel);

    public override Task<IReadOnlyList<WorkerPresent>> WorkersAsync(CancellationToken cancel = default)
    {
        var presence = Services.GetRequiredService<OwnPresence>();
        return Task.FromResult<IReadOnlyList<WorkerPresent>>(presence.IsAtWork ? [presence.Now()] : []);
    }

    private protected override async Task<string> GoOnAsync(string run, CancellationToken cancel) =>
        await ResumeAsync(run, cancel) == ResumeOutcome.WorkedOnElsewhere
            ? throw new UserErrorException($"another process is working on run {run}: watch follows it, cancel ends it")
            : run;

    private protected override async Task<string> BeginAsync(RunSpec spec, RunPlan plan, CancellationToken cancel)
    {
        foreach (var stage in RunBeginning.ComputedStages(spec, plan))
        {
            await UnitChecksConsumer.RequireAsync(Stages[stage.Stage], UnitChecksConsumer.UnitsOf(stage), spec.Inputs, Artifacts, cancel);
        }

        var run = RunName.New(Time);
        var events = await _beginning.EventsAsync(run, spec, plan, cancel);
        _locks.TryHold(run);
        await _coordinator.HandleAsync(run, events, cancel);
        return run;
    }

    private protected override void Started() => _poll.Start();

    private protected override async ValueTask StoppingAsync()
    {
        _cancellations.StopProcess();
        await _poll.DisposeAsync();
    }

    private protected override void Stopped() => _locks.Dispose();

    private async Task SettleStoppedAsync(string run, RunState state, CancellationToken cancel)
    {
        var now = Time.GetUtcNow();
        await _coordinator.HandleAsync(
            run,
            [
                .. from stage in state.Stages.Values
                from unit in stage.Outstanding
                select new UnitStopped(stage.Plan.Stage, unit, StageRunner.Worker) { At = now },
            ],
            cancel
        );
        _locks.Release(run);
    }
}
