using System.Text.Json.Nodes;
using ClipSae.Artifacts;
using ClipSae.Contracts;
using ClipSae.Pipeline;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace ClipSae.Hosting;

/// <summary>
/// The whole of ClipSae in one process: coordinator, workers, bus and a data folder. Reading starts nothing; the bus starts
/// with the first run.
/// </summary>
public sealed class EmbeddedRuntime : IAsyncDisposable
{
    private readonly IHost _host;
    private readonly ClipSaeOptions _options;
    private readonly TimeProvider _time;
    private readonly RunCoordinator _coordinator;
    private readonly RunCancellations _cancellations;
    private readonly RunHolds _holds;
    private readonly RunQueries _queries;
    private readonly RunWatch _watch;
    private readonly SemaphoreSlim _starting = new(1, 1);
    private readonly RunPoll _poll;
    private bool _started;

    private EmbeddedRuntime(IHost host)
    {
        _host = host;
        var services = host.Services;
        BusRegistration.LogTo(services);
        _options = services.GetRequiredService<ClipSaeOptions>();
        _time = services.GetRequiredService<TimeProvider>();
        _coordinator = services.GetRequiredService<RunCoordinator>();
        _cancellations = services.GetRequiredService<RunCancellations>();
        var feed = services.GetRequiredService<RunFeed>();
        Artifacts = services.GetRequiredService<IArtifactStore>();
        Events = services.GetRequiredService<IEventStore>();
        Results = services.GetRequiredService<IStageResults>();
        Stages = services.GetServices<IStage>().ToDictionary(stage => stage.Name, StringComparer.Ordinal);
        _holds = new RunHolds(_options.DataFolder);
        _queries = new RunQueries(Events, Results, _options.DataFolder);
        _poll = new RunPoll(_coordinator, _holds, feed, _options, _time);
        _watch = new RunWatch(Events, _queries, feed, _holds, _options, _time);
    }

    public IArtifactStore Artifacts { get; }

    public IEventStore Events { get; }

    public IStageResults Results { get; }

    /// <summary>The hosted stages by name.</summary>
    public IReadOnlyDictionary<string, IStage> Stages { get; }

    /// <summary>Services of the process, for what a stage's own package registers.</summary>
    public IServiceProvider Services => _host.Services;

    /// <summary>Makes the runtime.</summary>
    /// <param name="options">Where the data are, and how many units at once.</param>
    /// <param name="configure">Adds the coordinator and the stages, and logging where wanted.</param>
    public static EmbeddedRuntime Create(ClipSaeOptions options, Action<IServiceCollection> configure)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        configure(builder.Services);
        builder.Services.AddClipSae(options);
        return new EmbeddedRuntime(builder.Build());
    }

    /// <summary>Normalized defaults of each hosted stage; stages that have required parameters are left out.</summary>
    public IReadOnlyDictionary<string, JsonObject> DefaultParameters()
    {
        var defaults = new Dictionary<string, JsonObject>(StringComparer.Ordinal);
        foreach (var (name, stage) in Stages)
        {
            try
            {
                defaults[name] = stage.Normalize([]);
            }
            catch (UserErrorException)
            {
                // Without defaults, keys of this stage are checked only when a unit's parameters are normalized.
            }
        }

        return defaults;
    }

    /// <summary>Starts a run and returns its name as soon as it is on its way.</summary>
    /// <param name="request">What is asked for.</param>
    /// <param name="plan">The plan; by default <see cref="RunPlanner.Plan"/> makes it.</param>
    /// <exception cref="UserErrorException">Parameters or inputs are wrong; nothing was started.</exception>
    public async Task<string> SubmitAsync(RunRequest request, RunPlan? plan = null, CancellationToken cancel = default)
    {
        plan ??= RunPlanner.Plan(request, DefaultParameters());
        return await BeginAsync(request, plan, null, [], cancel);
    }

    /// <summary>
    /// Starts a run that takes everything before a stage from its origin, and looks at the rest anew: unchanged units are
    /// cache hits, changed ones are computed.
    /// </summary>
    /// <param name="origin">The run to replay.</param>
    /// <param name="fromStage">Stage or section to start from; null is the first stage.</param>
    /// <param name="assignments">Changed parameters, <c>sae.k=16</c>.</param>
    /// <param name="verify">Compute again what is stored, and fail where a digest differs.</param>
    public async Task<string> ReplayAsync(
        string origin, string? fromStage, IEnumerable<string> assignments, bool verify = false, CancellationToken cancel = default)
    {
        var earlier = await _queries.StateAsync(origin, cancel);
        var start = earlier.Start!;
        fromStage = ParameterSections.StageOf(fromStage ?? start.Plan.Stages[0].Stage);
        var before = Replay.StagesBefore(earlier, fromStage);
        var changes = assignments.ToArray();
        var defaults = DefaultParameters();
        var parameters = ParameterOverrides.Apply(start.Parameters, changes, defaults);
        Replay.RequireUnchanged(before, start.Parameters, parameters);
        var request = new RunRequest(start.Inputs, parameters, start.Seed, verify);

        // An unchanged request keeps its plan to the letter, whoever made it.
        var plan = changes.Length == 0 ? start.Plan : Replay.Combine(start.Plan, RunPlanner.Plan(request, defaults), before.Count);
        var taken = await Replay.TakeAsync(before, origin, Artifacts, _time.GetUtcNow(), cancel);
        return await BeginAsync(request, plan, new ReplayOrigin(origin, fromStage), taken, cancel);
    }

    /// <summary>The latest run that asked for exactly this and has not ended, so that a command given again goes on with it; null where there is none.</summary>
    public async Task<string?> FindUnfinishedAsync(RunRequest request, RunPlan? plan = null, CancellationToken cancel = default)
    {
        plan ??= RunPlanner.Plan(request, DefaultParameters());
        return await _queries.FindUnfinishedAsync(RunIdentity.Of(request, plan), cancel);
    }

    /// <summary>Goes on with a run where a killed or stopped process left it: what was outstanding is sent again.</summary>
    /// <exception cref="UserErrorException">There is no such run.</exception>
    public async Task<ResumeOutcome> ResumeAsync(string run, CancellationToken cancel = default)
    {
        var state = await _queries.StateAsync(run, cancel);
        if (state.End is not null)
        {
            return ResumeOutcome.Ended;
        }

        if (_holds.IsHeldHere(run))
        {
            return ResumeOutcome.Resumed;
        }

        if (!_holds.TryHold(run))
        {
            return ResumeOutcome.WorkedOnElsewhere;
        }

        await StartAsync(cancel);
        if (state.Status == RunStatus.Stopping)
        {
            await SettleStoppedAsync(run, state, cancel);
            return ResumeOutcome.Ended;
        }

        await _coordinator.HealAsync(run, cancel);
        return ResumeOutcome.Resumed;
    }

    /// <summary>Asks a run to stop, wherever it is worked on. It returns at once; the run ends when its units have given up.</summary>
    /// <returns>False where the run had ended already.</returns>
    public async Task<bool> CancelAsync(string run, string reason = "asked by the user", CancellationToken cancel = default)
    {
        var state = await _queries.StateAsync(run, cancel);
        if (state.End is not null)
        {
            return false;
        }

        await StartAsync(cancel);
        var free = _holds.IsFree(run);
        await _coordinator.HandleAsync(run, [new RunCancelRequested(reason) { At = _time.GetUtcNow() }], cancel);
        if (free)
        {
            await SettleStoppedAsync(run, await _coordinator.StateAsync(run, cancel), cancel);
        }

        return true;
    }

    /// <summary>All events of the run so far, then what happens, until it ends or no one works on it.</summary>
    /// <exception cref="UserErrorException">There is no such run.</exception>
    public IAsyncEnumerable<RunUpdate> WatchAsync(string run, CancellationToken cancel = default) => _watch.WatchAsync(run, cancel);

    /// <summary>Waits until the run has ended or is abandoned.</summary>
    public async Task<RunState> WaitAsync(string run, CancellationToken cancel = default)
    {
        await foreach (var _ in WatchAsync(run, cancel))
        {
        }

        return await StateAsync(run, cancel);
    }

    /// <summary>Where the run stands.</summary>
    /// <exception cref="UserErrorException">There is no such run.</exception>
    public Task<RunState> StateAsync(string run, CancellationToken cancel = default) => _queries.StateAsync(run, cancel);

    /// <exception cref="UserErrorException">There is no such run.</exception>
    public Task<IReadOnlyList<StoredEvent>> ReadEventsAsync(string run, CancellationToken cancel = default) => _queries.EventsAsync(run, cancel);

    /// <summary>All runs, oldest first; a run that cannot be read is listed with its problem.</summary>
    public Task<IReadOnlyList<RunOverview>> ListRunsAsync(CancellationToken cancel = default) => _queries.ListAsync(cancel);

    /// <summary>For each finished unit, in the plan's order: hit or miss, why, and what its key was made of.</summary>
    public IAsyncEnumerable<UnitExplanation> ExplainAsync(string run, CancellationToken cancel = default) => _queries.ExplainAsync(run, cancel);

    /// <summary>Stops what is at work here; unfinished runs stay as they are and can be resumed.</summary>
    public async ValueTask DisposeAsync()
    {
        _cancellations.StopProcess();
        await _poll.DisposeAsync();
        if (_started)
        {
            await _host.StopAsync();
        }

        _holds.Dispose();
        await ((IAsyncDisposable)_host).DisposeAsync();
        _starting.Dispose();
    }

    private async Task<string> BeginAsync(
        RunRequest request, RunPlan plan, ReplayOrigin? origin, IReadOnlyList<UnitFinished> taken, CancellationToken cancel)
    {
        RunPlanValidation.Require(plan, request.Inputs, Stages);
        await StartAsync(cancel);
        var run = RunName.New(_time);
        _holds.TryHold(run);
        var started = new RunStarted(run, plan, request.Inputs, request.Parameters, request.Seed, origin, request.Verify) { At = _time.GetUtcNow() };
        await _coordinator.HandleAsync(run, [started, .. taken], cancel);
        return run;
    }

    private async Task StartAsync(CancellationToken cancel)
    {
        await _starting.WaitAsync(cancel);
        try
        {
            if (!_started)
            {
                await _host.StartAsync(cancel);
                _poll.Start();
                _started = true;
            }
        }
        finally
        {
            _starting.Release();
        }
    }

    private async Task SettleStoppedAsync(string run, RunState state, CancellationToken cancel)
    {
        var now = _time.GetUtcNow();
        await _coordinator.HandleAsync(
            run,
            [.. from stage in state.Stages.Values
                from unit in stage.Outstanding
                select new UnitStopped(stage.Plan.Stage, unit, StageRunner.Worker) { At = now }],
            cancel);
        _holds.Release(run);
    }
}
