using System.Text.Json.Nodes;
using ClipSae.Pipeline.Runs;
using ClipSae.TestKit.Commands;

namespace ClipSae.Distributed;

public sealed class PriorityTests(DistributedSystem system)
{
    private const int Bulk = 4;

    [Fact]
    public async Task A_run_that_someone_waits_for_goes_before_a_backlog_of_others()
    {
        var origin = await system.UndisturbedRunAsync();
        var started = (await system.EventsAsync(origin))[0]!["event"]!.AsObject();
        var reporting = system.Process(ParameterSections.Report);
        (await reporting.StopAsync()).ShouldBe(0, reporting.Log);
        string[] bulk = [.. Enumerable.Range(0, Bulk).Select(index => $"bulk-{index}")];
        foreach (var run in bulk)
        {
            (await system.Broker.PublishAsync("amq.default", "dataset-ready", Event(run, started, origin, "report"))).ShouldBeTrue();
        }

        await system.Broker.WaitForAsync("report", Bulk);
        using var client = Command.Start(
            ["replay", origin, "--from", "report", "--data", system.Data, "--json"],
            environment: system.Environment
        );
        await system.Broker.WaitForAsync("report-interactive", 1);
        reporting.Start();
        var replay = await client.EndAsync();

        replay.Code.ShouldBe(0, replay.Error);
        foreach (var run in bulk)
        {
            (await system.ClientAsync("watch", run)).Code.ShouldBe(0);
        }

        var urgent = await ReportedAtAsync(replay.Json["runId"]!.GetValue<string>());
        var others = await Task.WhenAll(bulk.Select(ReportedAtAsync));

        // At most the one that the worker took as it started was before it.
        others.Count(at => at < urgent).ShouldBeLessThanOrEqualTo(1);
    }

    /// <summary>A run in bulk that takes everything before a stage from its origin, as JSON.</summary>
    internal static string Event(string run, JsonObject started, string origin, string fromStage) =>
        new JsonObject
        {
            ["run"] = run,
            ["inputs"] = started["inputs"]!.DeepClone(),
            ["parameters"] = started["parameters"]!.DeepClone(),
            ["seed"] = started["seed"]!.DeepClone(),
            ["origin"] = new JsonObject { ["run"] = origin, ["fromStage"] = fromStage },
        }.ToJsonString();

    private async Task<DateTimeOffset> ReportedAtAsync(string run) =>
        (await system.EventsAsync(run))
            .Select(stored => stored!["event"]!)
            .Single(happened =>
                happened["type"]!.GetValue<string>() == "unit-finished/1" && happened["stage"]!.GetValue<string>() == "report"
            )["startedAt"]!.GetValue<DateTimeOffset>();
}
