using System.Collections.Concurrent;
using System.Globalization;
using ClipSae.Hosting.Bus;
using ClipSae.Pipeline.Execution;
using ClipSae.Pipeline.Runs;
using MassTransit;

namespace ClipSae.Hosting.Worker;

/// <summary>Who takes which units, as the broker and the workers say.</summary>
public sealed class WorkerRoster(IBus bus, BrokerTopology topology, TemporaryNames names, TimeProvider time)
{
    // Workers answer within milliseconds, while they compute.
    private static readonly TimeSpan Listening = TimeSpan.FromSeconds(2);

    /// <summary>All workers that answer, by name.</summary>
    public async Task<IReadOnlyList<WorkerPresent>> AskAsync(CancellationToken cancel)
    {
        var present = new ConcurrentDictionary<string, WorkerPresent>(StringComparer.Ordinal);
        var endpoint = bus.ConnectReceiveEndpoint(new TemporaryEndpointDefinition("roster"), names, queue =>
        {
            queue.ConfigureConsumeTopology = false; // answers come to this address alone
            queue.Handler<WorkerPresent>(context =>
            {
                present[context.Message.Worker] = context.Message;
                return Task.CompletedTask;
            });
        });
        try
        {
            var ready = await endpoint.Ready.WaitAsync(cancel);
            await bus.Publish(new FindWorkers(StageRunner.Worker), question => question.ResponseAddress = ready.InputAddress, cancel);
            await Task.Delay(Listening, time, cancel);
        }
        finally
        {
            await endpoint.StopAsync(CancellationToken.None);
        }

        return [.. present.Values.OrderBy(worker => worker.Worker, StringComparer.Ordinal)];
    }

    /// <summary>The stages of these that no worker handles units of.</summary>
    public async Task<IReadOnlyList<string>> WithoutWorkerAsync(IEnumerable<string> stages, bool isInteractive, CancellationToken cancel)
    {
        var names = stages.ToArray();
        var consumers = await topology.ConsumersAsync(names.Select(stage => QueueNames.OfStage(stage, isInteractive)), cancel);
        return [.. names.Where(stage => consumers[QueueNames.OfStage(stage, isInteractive)] is null or 0)];
    }

    /// <summary>
    /// Why units that a run waits for are not taken, a line a stage: no worker handles them, or none of the version that the run was
    /// started with.
    /// </summary>
    public async Task<IReadOnlyList<string>> ProblemsAsync(RunState state, CancellationToken cancel)
    {
        var waiting = state.End is null
            ? state.StagesInOrder().Where(stage => !stage.Outstanding.IsEmpty).Select(stage => stage.Plan).ToArray()
            : [];
        if (waiting.Length == 0)
        {
            return [];
        }

        var missing = await WithoutWorkerAsync(waiting.Select(stage => stage.Stage), state.Start!.Spec.Interactive, cancel);
        var problems = missing.Select(stage => $"no worker handles {stage}: start one").ToList();
        var pinned = waiting.Where(stage => stage.AlgorithmVersion is not null && !missing.Contains(stage.Stage)).ToArray();
        if (pinned.Length > 0)
        {
            var present = await AskAsync(cancel);
            foreach (var stage in pinned)
            {
                var versions = present
                    .Select(worker => worker.Stages.TryGetValue(stage.Stage, out var version) ? version : (int?)null)
                    .OfType<int>()
                    .Distinct()
                    .Order()
                    .ToArray();
                if (versions.Length > 0 && !versions.Contains(stage.AlgorithmVersion!.Value))
                {
                    problems.Add(
                        string.Create(
                            CultureInfo.InvariantCulture,
                            $"no worker handles {stage.Stage} in version {stage.AlgorithmVersion}, "
                                + $"with which the run was started; available is version {string.Join(", ", versions)}: "
                                + $"start a worker of the older program, or replay the run from this stage"
                        )
                    );
                }
            }
        }

        return problems;
    }
}
