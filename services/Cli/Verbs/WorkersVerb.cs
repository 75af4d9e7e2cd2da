using System.CommandLine;
using System.Text.Json.Nodes;
using ClipSae.Cli.CommandLine;
using ClipSae.Cli.Output;
using ClipSae.Cli.Running;
using Spectre.Console;

namespace ClipSae.Cli.Verbs;

/// <summary>Lists the workers of the distributed system, and the stages that none takes.</summary>
internal sealed class WorkersVerb()
    : Verb(
        "workers",
        "List the workers of other processes: the stages they handle, their versions, and what they are working on.",
        "clipsae workers",
        "clipsae workers --json"
    )
{
    public override bool Computes => false;

    public override async Task<int> ExecuteAsync(ParseResult arguments, Session session, CancellationToken cancel)
    {
        await using var runtime = Workplace.OpenDistributed(session);
        var workers = await runtime.WorkersAsync(cancel);
        var missing = await runtime.StagesWithoutWorkerAsync(cancel);
        session.Answer(ToJson(workers, missing), console => Write(console, workers, missing));
        return missing.Count == 0 ? ExitCode.Done : ExitCode.Failed;
    }

    private static JsonObject ToJson(IEnumerable<WorkerPresent> workers, IEnumerable<string> missing) =>
        new()
        {
            ["workers"] = new JsonArray([
                .. workers.Select(worker => new JsonObject
                {
                    ["worker"] = worker.Worker,
                    ["software"] = worker.Software,
                    ["stages"] = new JsonObject(worker.Stages.Select(stage => KeyValuePair.Create(stage.Key, (JsonNode?)stage.Value))),
                    ["threads"] = worker.Threads,
                    ["device"] = worker.Device,
                    ["atWork"] = new JsonArray([.. worker.AtWork.Select(unit => (JsonNode)unit)]),
                    ["unfit"] = worker.Unfit,
                }),
            ]),
            ["stagesWithoutWorker"] = new JsonArray([.. missing.Select(stage => (JsonNode)stage)]),
        };

    private static void Write(IAnsiConsole console, IEnumerable<WorkerPresent> workers, IEnumerable<string> missing)
    {
        foreach (var worker in workers)
        {
            var takes = string.Join(
                ", ",
                worker
                    .Stages.OrderBy(stage => stage.Key, StringComparer.Ordinal)
                    .Select(stage => FormattableString.Invariant($"{stage.Key} (version {stage.Value})"))
            );
            console.WriteUnfolded($"{worker.Worker}  {takes}");
            console.WriteUnfolded(
                FormattableString.Invariant(
                    $"    ClipSae {worker.Software}, {worker.Device}, {worker.Threads} thread{(worker.Threads == 1 ? "" : "s")}; "
                ) + Doing(worker)
            );
        }

        foreach (var stage in missing)
        {
            console.WriteUnfolded($"no worker handles {stage}");
        }
    }

    private static string Doing(WorkerPresent worker) =>
        worker.Unfit is { } reason ? $"accepts no units: {reason}"
        : worker.AtWork.Count == 0 ? "idle"
        : $"works on {string.Join(", ", worker.AtWork)}";
}
