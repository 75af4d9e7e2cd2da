using ClipSae.Hosting.Bus;
using ClipSae.Hosting.Health;
using ClipSae.Hosting.Runs;
using ClipSae.Hosting.Settings;
using ClipSae.Hosting.Worker;
using ClipSae.Pipeline.Events;
using ClipSae.Pipeline.Runs;
using MassTransit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace ClipSae.Hosting.Service;

/// <summary>
/// Works with runs that coordinator and workers of other processes carry out: asks over the broker, reads from the store.
/// </summary>
public sealed class DistributedRuntime : ClipSaeRuntime
{
    // The coordinator answers within milliseconds; one that is just starting or busy may take longer.
    private static readonly TimeSpan BeginsWithin = TimeSpan.FromSeconds(60);
    private readonly RunWatch _watch;
    private readonly BusAddresses _addresses;
    private readonly IBus _bus;

    private DistributedRuntime(IHost host)
        : base(host)
    {
        _bus = Services.GetRequiredService<IBus>();
        _addresses = Services.GetRequiredService<BusAddresses>();
        _watch = new RunWatch(Events, Queries, Services.GetRequiredService<RunFeed>(), _ => false, Options, Time);
    }

    /// <summary>
    /// Whether the units of runs that this runtime begins go before those of others. Default yes: someone waits at the command.
    /// </summary>
    public bool IsInteractive { get; set; } = true;

    protected override bool StartsInteractive => IsInteractive;

    /// <summary>Makes the runtime.</summary>
    /// <param name="options">Broker and store.</param>
    /// <param name="configure">Adds the stages, for their parameters, and logging where wanted.</param>
    public static DistributedRuntime Create(ClipSaeOptions options, Action<IServiceCollection> configure)
    {
        var builder = CreateBuilder();
        configure(builder.Services);
        builder.Services.AddSingleton(
            new BusListener("watch", (queue, services) =>
                queue.Consumer(() => ActivatorUtilities.CreateInstance<ProgressConsumer>(services))
            )
        );
        builder.Services.AddClipSae(options, hostsStages: false);
        builder.Services.AddHealthChecks().AddCheck<StoreHealth>("store");
        return new DistributedRuntime(builder.Build());
    }

    /// <summary>What <see cref="ClipSaeRuntime.SubmitAsync"/> would publish, for other programs to publish.</summary>
    /// <exception cref="UserErrorException">The run has more inputs than fit a message.</exception>
    public DatasetReady Message(RunSpec spec, RunPlan? plan = null) => Message(RunName.New(Time), Own(spec), Planned(spec, plan));

    public override async Task<ResumeOutcome> ResumeAsync(string run, CancellationToken cancel = default) =>
        (await Queries.StateAsync(run, cancel)).End is null ? ResumeOutcome.WorkedOnElsewhere : ResumeOutcome.Ended;

    public override async Task<bool> CancelAsync(string run, string reason = "asked by the user", CancellationToken cancel = default)
    {
        if ((await Queries.StateAsync(run, cancel)).End is not null)
        {
            return false;
        }

        await StartAsync(cancel);
        await SendAsync(QueueNames.Requests, new CancelRun(run, reason), cancel);
        return true;
    }

    public override async IAsyncEnumerable<RunUpdate> WatchAsync(
        string run,
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancel = default
    )
    {
        await StartAsync(cancel);
        await foreach (var update in _watch.WatchAsync(run, cancel))
        {
            yield return update;
        }
    }

    public override async Task<IReadOnlyList<string>> WorkerProblemsAsync(string run, CancellationToken cancel = default)
    {
        var state = await Queries.StateAsync(run, cancel);
        if (state.End is not null)
        {
            return [];
        }

        await StartAsync(cancel);
        return await Services.GetRequiredService<WorkerRoster>().ProblemsAsync(state, cancel);
    }

    public override async Task<IReadOnlyList<WorkerPresent>> WorkersAsync(CancellationToken cancel = default)
    {
        await StartAsync(cancel);
        return await Services.GetRequiredService<WorkerRoster>().AskAsync(cancel);
    }

    /// <summary>The pipeline's stages whose units, of runs that someone waits for or of others, no worker handles.</summary>
    public async Task<IReadOnlyList<string>> StagesWithoutWorkerAsync(CancellationToken cancel = default)
    {
        await StartAsync(cancel);
        var roster = Services.GetRequiredService<WorkerRoster>();
        var stages = ParameterSections.All.Select(pair => pair.Stage).ToArray();
        return
        [
            .. (await roster.WithoutWorkerAsync(stages, false, cancel)).Union(
                await roster.WithoutWorkerAsync(stages, true, cancel),
                StringComparer.Ordinal
            ),
        ];
    }

    private protected override Task PreparingAsync(CancellationToken cancel) => ServiceHost.PrepareAsync(Services, cancel, isClient: true);

    private protected override async Task<string> GoOnAsync(string run, CancellationToken cancel)
    {
        // The coordinator sends again what the run waits for; nothing is computed twice that was stored.
        await StartAsync(cancel);
        await SendAsync(QueueNames.Requests, new ResumeRun(run), cancel);
        return run;
    }

    private protected override async Task<string> BeginAsync(RunSpec spec, RunPlan plan, CancellationToken cancel)
    {
        var run = RunName.New(Time);
        await using var refusals = await Refusals.ListenAsync(_bus, Services.GetRequiredService<TemporaryNames>(), cancel);
        var queue = await _bus.GetSendEndpoint(_addresses.Of(QueueNames.DatasetReady));
        await queue.Send(Message(run, spec, plan), send => send.FaultAddress = refusals.Address, cancel);
        var start = Time.GetTimestamp();
        while ((await Events.ReadAsync(run, 0, cancel)).Count == 0)
        {
            if (refusals.Reason is { } reason)
            {
                throw new UserErrorException($"the coordinator refuses the run: {reason}");
            }

            UserErrorException.ThrowIf(
                Time.GetElapsedTime(start) > BeginsWithin,
                $"run {run} was asked for, but no coordinator has accepted it within {BeginsWithin.TotalSeconds:0} s: "
                    + $"it starts when one runs; see also queue {QueueNames.DatasetReady}_error of the broker"
            );

            await Task.Delay(Options.PollInterval, Time, cancel);
        }

        return run;
    }

    // The broker would answer a message beyond its limit by closing the channel, and a coordinator far away from whoever asks.
    private static DatasetReady Message(string run, RunSpec spec, RunPlan plan) =>
        spec.Inputs.Count <= DatasetReady.MaxInputs
            ? new(spec, run, plan)
            : throw new UserErrorException(
                $"the run has {spec.Inputs.Count} inputs; at most {DatasetReady.MaxInputs} are allowed: use fewer and larger shards"
            );

    private async Task SendAsync<T>(string queue, T message, CancellationToken cancel)
        where T : class => await (await _bus.GetSendEndpoint(_addresses.Of(queue))).Send(message, cancel);
}
