using System.Text.Json.Nodes;
using ClipSae.Artifacts;
using ClipSae.Hosting.Runs;
using ClipSae.Hosting.Settings;
using ClipSae.Pipeline.Coordination;
using ClipSae.Pipeline.Events;
using ClipSae.Pipeline.Runs;
using ClipSae.Pipeline.Stages;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace ClipSae.Hosting.Service;

/// <summary>What a user can do with runs, wherever they are worked on.</summary>
public abstract class ClipSaeRuntime : IAsyncDisposable
{
    private readonly IHost _host;
    private readonly SemaphoreSlim _starting = new(1, 1);
    private bool _started;

    private protected ClipSaeRuntime(IHost host)
    {
        _host = host;
        var services = host.Services;
        BusRegistration.LogTo(services);
        Options = services.GetRequiredService<ClipSaeOptions>();
        Time = services.GetRequiredService<TimeProvider>();
        Artifacts = services.GetRequiredService<IArtifactStore>();
        Events = services.GetRequiredService<IEventStore>();
        Results = services.GetRequiredService<IStageResults>();
        Scratch = services.GetRequiredService<ProcessScratch>();
        Stages = services.GetServices<IStage>().ToDictionary(stage => stage.Name, StringComparer.Ordinal);
        Queries = new RunQueries(Events, Results, Options.UsesObjectStore ? Options.S3.ToString() : Options.DataFolder);
    }

    public IArtifactStore Artifacts { get; }

    public IEventStore Events { get; }

    public IStageResults Results { get; }

    /// <summary>Temporary files; what a killed process leaves of them goes when the next one begins.</summary>
    public ProcessScratch Scratch { get; }

    /// <summary>The known stages by name.</summary>
    public IReadOnlyDictionary<string, IStage> Stages { get; }

    /// <summary>Services of the process, for what a stage's own package registers.</summary>
    public IServiceProvider Services => _host.Services;

    private protected ClipSaeOptions Options { get; }

    private protected TimeProvider Time { get; }

    private protected RunQueries Queries { get; }

    /// <summary>Connects to the servers, if there are any; whatever needs them does it by itself.</summary>
    /// <exception cref="UserErrorException">A server cannot be reached or refuses.</exception>
    public Task ConnectAsync(CancellationToken cancel = default) => StartAsync(cancel);

    /// <summary>Normalized defaults of each known stage; stages that have required parameters are left out.</summary>
    public IReadOnlyDictionary<string, JsonObject> DefaultParameters() => StageDefaults.Of(Stages.Values);

    /// <summary>Starts a run and returns its name as soon as it is on its way.</summary>
    /// <param name="spec">What is asked for.</param>
    /// <param name="plan">The plan; by default <see cref="RunPlanner.Plan"/> makes it.</param>
    /// <exception cref="UserErrorException">Parameters or inputs are wrong; nothing was started.</exception>
    public async Task<string> SubmitAsync(RunSpec spec, RunPlan? plan = null, CancellationToken cancel = default) =>
        await BeginCheckedAsync(Own(spec), Planned(spec, plan), cancel);

    /// <summary>
    /// Starts a run that takes everything before a stage from its origin, and looks at the rest again: unchanged units are
    /// cache hits, changed ones are computed.
    /// </summary>
    /// <param name="origin">The run to replay.</param>
    /// <param name="fromStage">Stage or section to start from; null is the first stage.</param>
    /// <param name="assignments">Changed parameters, <c>sae.k=16</c>.</param>
    /// <param name="verify">Compute again what is stored, and fail where a digest differs.</param>
    public async Task<string> ReplayAsync(
        string origin,
        string? fromStage,
        IEnumerable<string> assignments,
        bool verify = false,
        CancellationToken cancel = default
    )
    {
        var (spec, plan) = await ReplayOfAsync(origin, fromStage, assignments, verify, cancel);
        return await BeginCheckedAsync(spec, plan, cancel);
    }

    /// <summary>
    /// The latest replay that asked for exactly this and has not ended, so that a command given again continues with it; null if there is
    /// none.
    /// </summary>
    /// <param name="origin">As in <see cref="ReplayAsync"/>.</param>
    /// <param name="fromStage">As in <see cref="ReplayAsync"/>.</param>
    /// <param name="assignments">As in <see cref="ReplayAsync"/>.</param>
    /// <param name="verify">As in <see cref="ReplayAsync"/>.</param>
    public async Task<string?> FindUnfinishedReplayAsync(
        string origin,
        string? fromStage,
        IEnumerable<string> assignments,
        bool verify = false,
        CancellationToken cancel = default
    )
    {
        var (spec, plan) = await ReplayOfAsync(origin, fromStage, assignments, verify, cancel);
        var found = await Queries.FindUnfinishedAsync(RunIdentity.Of(spec, plan), Normalized, cancel);

        // One of a backlog that another program submitted was not interrupted: whoever waits gets a run of his own, which goes first.
        return found is not null && (await Queries.StateAsync(found, cancel)).Start!.Spec.Interactive == StartsInteractive ? found : null;
    }

    /// <summary>Whether the runs that begin here are ones that someone waits for, where that makes a difference.</summary>
    protected virtual bool StartsInteractive => false;

    private async Task<(RunSpec Spec, RunPlan Plan)> ReplayOfAsync(
        string origin,
        string? fromStage,
        IEnumerable<string> assignments,
        bool verify,
        CancellationToken cancel
    )
    {
        var earlier = await Queries.StateAsync(origin, cancel);
        var start = earlier.Start!;
        fromStage = ParameterSections.StageOf(fromStage ?? start.Plan.Stages[0].Stage);
        var before = Replay.StagesBefore(earlier, fromStage);
        var changes = assignments.ToArray();
        var defaults = DefaultParameters();
        var parameters = ParameterOverrides.Apply(start.Spec.Parameters, changes, defaults);
        Replay.RequireUnchanged(before, start.Spec.Parameters, parameters);
        var spec = Own(start.Spec with { Parameters = parameters, Verify = verify, Origin = new ReplayOrigin(origin, fromStage) });

        // An unchanged specification keeps its plan, whoever made it; what is looked at again is computed by the versions that are here.
        var plan = Pinned(
            changes.Length == 0 ? start.Plan : Replay.Combine(start.Plan, RunPlanner.Plan(spec, defaults), before.Count),
            fromStage
        );
        return (spec, plan);
    }

    /// <summary>
    /// Starts a run that takes from a failed or cancelled one what it had finished, and tries again what it had not. A run that has not
    /// ended continues itself: where its messages were lost, what it waits for is sent again.
    /// </summary>
    /// <returns>The new run, or the given one where it continues.</returns>
    /// <exception cref="UserErrorException">The run is unknown or completed, or another process works on it.</exception>
    public async Task<string> RetryAsync(string run, CancellationToken cancel = default)
    {
        var state = await Queries.StateAsync(run, cancel);
        return state.End switch
        {
            RunFailed failed => await ReplayAsync(run, failed.Stage, [], state.Start!.Spec.Verify, cancel),
            RunCancelled => await ReplayAsync(
                run,
                state.StagesInOrder().First(stage => !stage.IsComplete).Plan.Stage,
                [],
                state.Start!.Spec.Verify,
                cancel
            ),
            RunCompleted => throw new UserErrorException($"run {run} completed: there is nothing to retry; use replay to run it again"),
            _ => await GoOnAsync(run, cancel),
        };
    }

    /// <summary>
    /// The latest run that asked for exactly this and has not ended, so that a command given again continues with it; null if there is
    /// none.
    /// </summary>
    public Task<string?> FindUnfinishedAsync(RunSpec spec, RunPlan? plan = null, CancellationToken cancel = default) =>
        Queries.FindUnfinishedAsync(RunIdentity.Of(spec, Planned(spec, plan)), Normalized, cancel);

    /// <summary>Goes on with a run where a killed or stopped process left it: what was outstanding is sent again.</summary>
    /// <exception cref="UserErrorException">There is no such run.</exception>
    public abstract Task<ResumeOutcome> ResumeAsync(string run, CancellationToken cancel = default);

    /// <summary>Asks a run to stop, wherever it is worked on. It returns at once; the run ends when its units have given up.</summary>
    /// <returns>False where the run had ended already.</returns>
    public abstract Task<bool> CancelAsync(string run, string reason = "asked by the user", CancellationToken cancel = default);

    /// <summary>All events of the run so far, then what happens, until it ends or no one works on it.</summary>
    /// <exception cref="UserErrorException">There is no such run.</exception>
    public abstract IAsyncEnumerable<RunUpdate> WatchAsync(string run, CancellationToken cancel = default);

    /// <summary>Waits until the run has ended or is abandoned.</summary>
    public async Task<RunState> WaitAsync(string run, CancellationToken cancel = default)
    {
        await foreach (var _ in WatchAsync(run, cancel)) { }

        return await StateAsync(run, cancel);
    }

    /// <summary>Where the run stands.</summary>
    /// <exception cref="UserErrorException">There is no such run.</exception>
    public Task<RunState> StateAsync(string run, CancellationToken cancel = default) => Queries.StateAsync(run, cancel);

    /// <exception cref="UserErrorException">There is no such run.</exception>
    public Task<IReadOnlyList<StoredEvent>> ReadEventsAsync(string run, CancellationToken cancel = default) =>
        Queries.EventsAsync(run, cancel);

    /// <summary>All runs, oldest first; a run that cannot be read is listed with its problem.</summary>
    public Task<IReadOnlyList<RunOverview>> ListRunsAsync(CancellationToken cancel = default) => Queries.ListAsync(cancel);

    /// <summary>The run that began last; null if there is none.</summary>
    public Task<string?> LatestRunAsync(CancellationToken cancel = default) => Queries.LatestAsync(cancel);

    /// <summary>Mean time of a computed unit, by stage, in the latest completed runs but this one.</summary>
    public Task<IReadOnlyDictionary<string, TimeSpan>> PaceAsync(string run, CancellationToken cancel = default) =>
        Queries.PaceAsync(run, cancel);

    /// <summary>For each finished unit, in the plan's order: hit or miss, why, and what its key was made of.</summary>
    public IAsyncEnumerable<UnitExplanation> ExplainAsync(string run, CancellationToken cancel = default) =>
        Queries.ExplainAsync(run, cancel);

    /// <summary>
    /// Why units that a run waits for are not taken by any worker, a line a stage; nothing where this process works on them itself.
    /// </summary>
    public virtual Task<IReadOnlyList<string>> WorkerProblemsAsync(string run, CancellationToken cancel = default) =>
        Task.FromResult<IReadOnlyList<string>>([]);

    /// <summary>
    /// The workers that answer over the broker, by name, whatever they do; of a runtime in one process, this process while it works on
    /// units.
    /// </summary>
    public abstract Task<IReadOnlyList<WorkerPresent>> WorkersAsync(CancellationToken cancel = default);

    /// <summary>Stops what is at work here; unfinished runs stay as they are and can be resumed.</summary>
    public async ValueTask DisposeAsync()
    {
        await StoppingAsync();
        if (_started)
        {
            await _host.StopAsync();
        }

        Stopped();
        await ((IAsyncDisposable)_host).DisposeAsync();
        _starting.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>A host without defaults but the environment: the exporters of traces read their settings from it.</summary>
    private protected static HostApplicationBuilder CreateBuilder()
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Configuration.AddEnvironmentVariables();
        return builder;
    }

    /// <summary>Gets a run going again that is stalled.</summary>
    /// <returns>The run.</returns>
    private protected abstract Task<string> GoOnAsync(string run, CancellationToken cancel);

    /// <summary>Begins a run whose plan has been checked.</summary>
    private protected abstract Task<string> BeginAsync(RunSpec spec, RunPlan plan, CancellationToken cancel);

    /// <summary>Before the bus is started for the first time.</summary>
    private protected virtual Task PreparingAsync(CancellationToken cancel) => Task.CompletedTask;

    /// <summary>After the bus has started.</summary>
    private protected virtual void Started() { }

    /// <summary>Before the bus stops.</summary>
    private protected virtual ValueTask StoppingAsync() => ValueTask.CompletedTask;

    /// <summary>After the bus has stopped.</summary>
    private protected virtual void Stopped() { }

    /// <summary>Starts the bus, once.</summary>
    private protected async Task StartAsync(CancellationToken cancel)
    {
        await _starting.WaitAsync(cancel);
        try
        {
            if (!_started)
            {
                await PreparingAsync(cancel);
                await _host.StartAsync(cancel);
                Started();
                _started = true;
            }
        }
        finally
        {
            _starting.Release();
        }
    }

    private RunPlan Pinned(RunPlan plan, string? fromStage = null) =>
        PlanVersions.Pin(Normalized(plan), stage => Stages.GetValueOrDefault(stage)?.AlgorithmVersion, fromStage);

    private RunPlan Normalized(RunPlan plan) => PlanParameters.Normalize(plan, Stages);

    /// <summary>The specification of a run that this runtime begins.</summary>
    private protected RunSpec Own(RunSpec spec) => spec with { Interactive = StartsInteractive };

    /// <summary>The given plan, or the pipeline's, with all that the stages that are known here add to it.</summary>
    private protected RunPlan Planned(RunSpec spec, RunPlan? plan) => Pinned(plan ?? RunPlanner.Plan(spec, DefaultParameters()));

    private async Task<string> BeginCheckedAsync(RunSpec spec, RunPlan plan, CancellationToken cancel)
    {
        RunPlanValidation.Require(plan, spec.Inputs, [.. Stages.Keys]);
        await StartAsync(cancel);

        // The root of the run's trace: what coordinator and workers do hangs below it, across all processes.
        using var span = PipelineTelemetry.Source.StartActivity("submit");
        var run = await BeginAsync(spec, plan, cancel);
        span?.SetTag(PipelineTelemetry.RunTag, run);
        return run;
    }
}
