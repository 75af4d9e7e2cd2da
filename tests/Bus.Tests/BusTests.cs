using System.Diagnostics;
using System.Text.Json.Nodes;
using ClipSae.Artifacts;
using ClipSae.Pipeline.Execution;
using ClipSae.Pipeline.Runs;
using ClipSae.Pipeline.Stages;
using ClipSae.TestKit.Files;
using ClipSae.TestKit.Pipelines;
using Microsoft.Extensions.DependencyInjection;

namespace ClipSae.Bus.Tests;

/// <summary>The bus on the real broker, in a virtual host of each test's own.</summary>
public sealed class BusTests(SharedBroker shared) : IAsyncLifetime
{
    private readonly string _virtual = "bus-" + Guid.NewGuid().ToString("N");
    private readonly TemporaryFolder _folder = new();

    public async ValueTask InitializeAsync() => await shared.Broker.AddVirtualHostAsync(_virtual);

    public ValueTask DisposeAsync()
    {
        _folder.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task What_cannot_be_read_is_set_aside_at_once_with_its_reason_whatever_queue_it_came_to()
    {
        await using var host = Own("first");
        await host.StartAsync();
        const string Unit = """{"messageType":["urn:message:ClipSae.Contracts:RunUnit"],"message":{"run":"r","stage":"first"}}""";
        const string Stranger = """{"messageType":["urn:message:Some:Thing"],"message":{"text":"hello"}}""";

        foreach (var queue in (string[])["coordinator", "first", "first-interactive", "dead-units"])
        {
            foreach (
                var text in (string[])
                    [
                        $"no json in {queue}",
                        Unit.Replace("\"r\"", $"\"{queue}\"", StringComparison.Ordinal),
                        Stranger.Replace("hello", queue, StringComparison.Ordinal),
                    ]
            )
            {
                (await shared.Broker.PublishAsync("amq.default", queue, text, _virtual, "application/vnd.masstransit+json")).ShouldBeTrue();
            }
        }

        var kept = await KeptAsync("dead-letters", 12);
        Reason(kept, "no json in coordinator").ShouldContain("the message is not JSON");
        Reason(kept, "no json in first").ShouldContain("the message is not JSON");
        Reason(kept, Unit.Replace("\"r\"", "\"first\"", StringComparison.Ordinal))
            .ShouldContain("message RunUnit: unit, parameters, inputs are missing");
        await host.BeginAsync("afterwards", "first");
        (await host.EndedAsync("afterwards")).Status.ShouldBe(RunStatus.Completed);
    }

    [Fact]
    public async Task An_invalid_envelope_that_asks_for_answers_where_no_one_is_is_set_aside_with_its_field()
    {
        await using var host = Own("first");
        await host.StartAsync();
        var nowhere = $"rabbitmq://localhost:{shared.Broker.Port}/{_virtual}/nobody-there";
        foreach (var address in (string[])["faultAddress", "responseAddress"])
        {
            var text = new JsonObject
            {
                ["messageId"] = Guid.NewGuid().ToString(),
                ["requestId"] = Guid.NewGuid().ToString(),
                [address] = nowhere,
                ["messageType"] = new JsonArray("urn:message:ClipSae.Contracts:DatasetReady"),
                ["message"] = new JsonObject
                {
                    ["inputs"] = new JsonObject(),
                    ["parameters"] = new JsonObject(),
                    ["seed"] = "seven",
                },
            }.ToJsonString();
            (
                await shared.Broker.PublishAsync("amq.default", "dataset-ready", text, _virtual, "application/vnd.masstransit+json")
            ).ShouldBeTrue();
        }

        var kept = await KeptAsync("dataset-ready_error", 2);

        kept.ShouldAllBe(message =>
            message.Headers["MT-Fault-Message"]!.GetValue<string>() == "dataset-ready: seed = \"seven\": expected a whole number"
        );
    }

    [Fact]
    public async Task Parameters_of_an_event_are_checked_by_a_worker_before_anything_runs()
    {
        var stage = new FakeStage("first");
        await using var host = Own(stage);
        await host.StartAsync();
        var data = await host.Services.GetRequiredService<Artifacts.IArtifactStore>().PutBytesAsync("data"u8.ToArray(), "data", "x/y");
        var text = new JsonObject
        {
            ["inputs"] = new JsonObject
            {
                ["data"] = new JsonObject
                {
                    ["digest"] = data.Digest,
                    ["length"] = data.Length,
                    ["mediaType"] = "x/y",
                    ["name"] = "data",
                },
            },
            ["parameters"] = new JsonObject(),
            ["plan"] = JsonNode.Parse(
                """{"stages":[{"stage":"first","parameters":{"factor":"many"},"units":[{"name":"all","parameters":{}"""
                    + ""","inputs":[]}],"inputs":[]}]}"""
            ),
        }.ToJsonString();

        (await shared.Broker.PublishAsync("amq.default", "dataset-ready", text, _virtual)).ShouldBeTrue();

        var kept = await KeptAsync("dataset-ready_error", 1);
        kept[0].Headers["MT-Fault-Message"]!
            .GetValue<string>()
            .ShouldStartWith("dataset-ready: parameters: first: parameter factor = \"many\" does not fit");
        stage.Runs.ShouldBe(0);
    }

    [Fact]
    public async Task Connections_that_are_closed_by_force_come_back_at_once_although_a_unit_is_at_work_and_it_counts_once()
    {
        var stage = new FakeStage("first");
        var begun = new TaskCompletionSource();
        var end = new TaskCompletionSource();
        stage.Act = async (_, cancel) =>
        {
            begun.TrySetResult();
            await end.Task.WaitAsync(cancel);
        };
        await using var host = Own(stage);
        await host.StartAsync();
        await host.BeginAsync("torn", "first");
        await begun.Task.WaitAsync(TimeSpan.FromSeconds(30));
        await UntilAsync(async () => await shared.Broker.CloseConnectionsAsync(_virtual) > 0);

        await UntilAsync(
            async () =>
                (await ConsumersAsync("first")) == 0
                || !(await host.HealthAsync()).Contains("consumers: Healthy", StringComparison.Ordinal),
            5,
            isNeeded: false
        );
        var back = Stopwatch.StartNew();
        await UntilAsync(async () =>
            (await host.HealthAsync()).Contains("consumers: Healthy", StringComparison.Ordinal) && await ConsumersAsync("first") == 1
        );

        back.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(20));
        end.Task.IsCompleted.ShouldBeFalse();
        end.SetResult();
        (await host.EndedAsync("torn")).Status.ShouldBe(RunStatus.Completed);
        stage.Runs.ShouldBe(1);
        (await host.EventsAsync("torn")).Count(stored => stored.Event is UnitFinished).ShouldBe(1);
    }

    [Fact]
    public async Task A_worker_that_is_cut_off_is_not_ready_within_seconds_and_its_unit_goes_to_another_within_half_a_minute()
    {
        using var proxy = new CuttableProxy(shared.Broker.Port);
        var cutOff = new FakeStage("first");
        var begun = cutOff.WorksWithoutEnd();
        var other = new FakeStage("first");
        await using var coordinator = OwnHost.Create(shared.Broker, _virtual, _folder.Path, shared.Broker.Port, coordinates: true);
        await using var far = OwnHost.Create(shared.Broker, _virtual, _folder.File("far"), proxy.Port, coordinates: false, cutOff);
        await using var near = OwnHost.Create(shared.Broker, _virtual, _folder.Path, shared.Broker.Port, coordinates: false, other);
        await coordinator.StartAsync();
        await far.StartAsync();
        await new StageDefaultsStore(new FolderObjectStore(_folder.Path)).TellAsync("first", []);
        await coordinator.BeginAsync("cut", "first");
        await begun.WaitAsync(TimeSpan.FromSeconds(30));
        await near.StartAsync();
        (await far.HealthAsync()).ShouldContain("consumers: Healthy");

        proxy.Cut();
        var since = Stopwatch.StartNew();
        (await far.HealthAsync()).ShouldContain("consumers: Unhealthy the broker does not answer within 3 s");
        since.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(10));
        await coordinator.EndedAsync("cut");

        since.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(30));
        other.Runs.ShouldBe(1);
    }

    [Fact]
    public async Task A_worker_whose_disk_is_full_leaves_its_unit_to_another_and_is_not_ready()
    {
        var full = new FakeStage("first") { Act = (_, _) => throw new IOException("No space left on device", 28) };
        await using var leaving = OwnHost.Create(shared.Broker, _virtual, _folder.Path, shared.Broker.Port, coordinates: true, full);
        await leaving.StartAsync();
        await leaving.BeginAsync("full", "first");
        await UntilAsync(async () =>
            (await leaving.HealthAsync()).Contains("worker: Unhealthy disk full while writing", StringComparison.Ordinal)
        );
        var healthy = new FakeStage("first");
        await using var other = OwnHost.Create(shared.Broker, _virtual, _folder.Path, shared.Broker.Port, coordinates: false, healthy);
        await other.StartAsync();

        (await leaving.EndedAsync("full")).Status.ShouldBe(RunStatus.Completed);

        (full.Runs, healthy.Runs).ShouldBe((1, 1));
        (await leaving.EventsAsync("full")).ShouldNotContain(stored => stored.Event is UnitFailed);
        await UntilAsync(async () => (await leaving.HealthAsync()).Contains("worker: Healthy", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_run_is_computed_by_workers_of_the_version_that_it_was_begun_with_and_says_where_there_is_none()
    {
        var newer = new FakeStage("first") { AlgorithmVersion = 4 };
        await using var fleet = Own(newer);
        await fleet.StartAsync();
        await fleet.BeginAsync("pinned", "first", version: 3);
        var roster = fleet.Services.GetRequiredService<Hosting.Worker.WorkerRoster>();

        IReadOnlyList<string> problems = [];
        await UntilAsync(async () =>
            (
                problems = await roster.ProblemsAsync(
                    RunState.Fold((await fleet.EventsAsync("pinned")).Select(stored => stored.Event)),
                    default
                )
            ).Count > 0
        );
        problems[0].ShouldStartWith("no worker handles first in version 3, with which the run was started; available is version 4");
        newer.Runs.ShouldBe(0);
        var older = new FakeStage("first") { AlgorithmVersion = 3 };
        await using var old = OwnHost.Create(shared.Broker, _virtual, _folder.Path, shared.Broker.Port, coordinates: false, older);
        await old.StartAsync();

        (await fleet.EndedAsync("pinned")).Status.ShouldBe(RunStatus.Completed);
        (newer.Runs, older.Runs).ShouldBe((0, 1));
        await fleet.BeginAsync("latest", "first");
        ((RunStarted)(await fleet.EventsAsync("latest"))[0].Event)
            .Plan.Stages[0]
            .AlgorithmVersion.ShouldBe(3, "the worker that started last tells the version of new runs");
    }

    [Fact]
    public async Task Workers_say_who_they_are_and_a_stage_without_one_is_named()
    {
        var stage = new FakeStage("first") { AlgorithmVersion = 7 };
        var begun = stage.WorksWithoutEnd();
        await using var host = Own(stage);
        await host.StartAsync();
        await host.BeginAsync("seen", "first");
        await begun.WaitAsync(TimeSpan.FromSeconds(30));
        var roster = host.Services.GetRequiredService<Hosting.Worker.WorkerRoster>();

        var worker = (await roster.AskAsync(default)).ShouldHaveSingleItem();

        worker.Worker.ShouldBe(StageRunner.Worker);
        worker.Stages.ShouldBe(new Dictionary<string, int> { ["first"] = 7 });
        worker.AtWork.ShouldBe(["seen: first/all"]);
        worker.Unfit.ShouldBeNull();
        (await roster.WithoutWorkerAsync(["first", "fine-tuning", "nobody-declared"], isInteractive: true, default)).ShouldBe([
            "fine-tuning",
            "nobody-declared",
        ]);
    }

    [Fact]
    public async Task A_queue_without_a_consumer_is_named_by_readiness()
    {
        await using var host = Own("first");
        await host.Services.GetRequiredService<Hosting.Bus.BrokerTopology>().DeclareAsync(TimeProvider.System, default);
        await host.Services.GetRequiredService<Hosting.Bus.BrokerTopology>().DeclareStageAsync("first", default);

        (await host.HealthAsync()).ShouldContain("consumers: Unhealthy no consumer on queue first");
    }

    private OwnHost Own(string stage) => Own(new FakeStage(stage));

    private OwnHost Own(FakeStage stage) =>
        OwnHost.Create(shared.Broker, _virtual, _folder.Path, shared.Broker.Port, coordinates: true, stage);

    private async Task<int> ConsumersAsync(string queue) =>
        (await shared.Broker.ConsumersAsync(_virtual)).Count(consumer => consumer!["queue"]!["name"]!.GetValue<string>() == queue);

    private async Task<IReadOnlyList<(string Text, JsonObject Headers)>> KeptAsync(string queue, int count)
    {
        IReadOnlyList<(string Text, JsonObject Headers)> kept = [];
        await UntilAsync(async () => (kept = await shared.Broker.PeekAsync(queue, _virtual)).Count >= count);
        kept.Count.ShouldBe(count, string.Join('\n', kept.Select(message => message.Text)));
        return kept;
    }

    private static string Reason(IEnumerable<(string Text, JsonObject Headers)> kept, string text) =>
        kept.Single(message => message.Text == text).Headers["MT-Fault-Message"]!.GetValue<string>();

    private static async Task UntilAsync(Func<Task<bool>> holds, int seconds = 30, bool isNeeded = true)
    {
        var waited = Stopwatch.StartNew();
        while (!await holds())
        {
            if (waited.Elapsed > TimeSpan.FromSeconds(seconds))
            {
                isNeeded.ShouldBeFalse("it did not come to hold");
                return;
            }

            await Task.Delay(100);
        }
    }
}
