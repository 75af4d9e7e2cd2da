using System.Text.Json.Nodes;
using ClipSae.Pipeline.Runs;
using ClipSae.TestKit.Commands;

namespace ClipSae.Distributed;

public sealed class RunTests(DistributedSystem system)
{
    [Fact]
    public async Task A_run_of_separate_processes_gives_the_digests_of_one_process() =>
        (await system.DigestsAsync(await system.UndisturbedRunAsync())).ShouldBe(system.EmbeddedDigests);

    [Fact]
    public async Task Plain_JSON_through_the_brokers_own_API_starts_a_run_and_twice_the_same_starts_one()
    {
        var origin = await system.UndisturbedRunAsync();
        var started = (await system.EventsAsync(origin))[0]!["event"]!.AsObject();
        var text = new JsonObject
        {
            ["inputs"] = started["inputs"]!.DeepClone(),
            ["parameters"] = started["parameters"]!.DeepClone(),
            ["seed"] = started["seed"]!.DeepClone(),
        }.ToJsonString();

        (await system.Broker.PublishAsync("amq.default", "dataset-ready", text)).ShouldBeTrue();
        (await system.Broker.PublishAsync("ClipSae.Contracts:DatasetReady", "", text)).ShouldBeTrue();
        var watched = await system.ClientAsync("watch", await EventRunAsync());

        watched.Code.ShouldBe(0, watched.Error);
        var run = watched.Json["runId"]!.GetValue<string>();
        (await system.DigestsAsync(run)).ShouldBe(system.EmbeddedDigests);
        (await system.ClientAsync("runs")).Json["runs"]!
            .AsArray()
            .Count(one => one!["runId"]!.GetValue<string>().StartsWith("event-", StringComparison.Ordinal))
            .ShouldBe(1);
        (await system.EventsAsync(run)).Count(stored => stored!["event"]!["type"]!.GetValue<string>() == "run-started/1").ShouldBe(1);
    }

    [Fact]
    public async Task A_run_is_submitted_from_data_in_the_object_store_and_needs_no_sets_to_evaluate_on()
    {
        (
            await system.ClientAsync(
                "make-dataset",
                Path.Combine(system.Data, "world"),
                "--train",
                "0",
                "--tuning",
                "80",
                "--evaluation",
                "2"
            )
        ).Code.ShouldBe(0);
        await system.BringAsync(Path.Combine(system.Data, "world", "tuning"), "datasets", "photos");
        await system.BringAsync(Path.Combine(AppContext.BaseDirectory, "Demo"), "models", "small");

        var submitted = await system.ClientAsync([
            "submit",
            "--dataset",
            "s3://datasets/photos",
            "--model",
            "s3://models/small",
            "--tokenizer",
            Path.Combine(AppContext.BaseDirectory, "Demo", "bpe.txt.gz"),
            "--preset",
            "demo",
            "--arms",
            "none",
            .. TinyDemo.Budget,
        ]);
        submitted.Code.ShouldBe(0, submitted.Error);
        var watched = await system.ClientAsync("watch", submitted.Json["runId"]!.GetValue<string>());

        watched.Code.ShouldBe(0, watched.Error);
        watched.Json["stages"]!.AsArray().Select(stage => stage!["stage"]!.GetValue<string>()).ShouldContain("zero-shot-evaluation");
        watched.Json["base"]!["clean"].ShouldBeNull();
        File.Exists(Path.Combine(system.Data, "runs", submitted.Json["runId"]!.GetValue<string>(), "tuned.safetensors")).ShouldBeTrue();
    }

    [Fact]
    public async Task Captions_models_vocabularies_and_sets_to_evaluate_on_are_taken_from_the_object_store_too()
    {
        var world = Path.Combine(system.Data, "remote-world");
        (await system.ClientAsync("make-dataset", world, "--train", "0", "--tuning", "120", "--evaluation", "20")).Code.ShouldBe(0);
        await system.BringAsync(Path.Combine(world, "tuning"), "datasets", "remote/tuning");
        await system.BringAsync(Path.Combine(world, "evaluation", "clean"), "datasets", "remote/clean");
        await system.BringAsync(Path.Combine(AppContext.BaseDirectory, "Demo"), "models", "remote");

        var printed = await system.ClientAsync(
            "submit",
            "--dataset",
            "s3://datasets/remote/tuning",
            "--captions",
            "s3://datasets/remote/tuning/captions.json",
            "--model",
            "s3://models/remote/model.safetensors",
            "--evaluation",
            "clean=s3://datasets/remote/clean",
            "--preset",
            "demo",
            "--set",
            "sae.epochs=3",
            "--print"
        );
        var scored = await system.ClientAsync(
            "evaluate",
            "--model",
            "s3://models/remote/model.safetensors",
            "--tokenizer",
            "s3://models/remote/bpe.txt.gz",
            "--evaluation",
            "clean=s3://datasets/remote/clean"
        );

        printed.Code.ShouldBe(0, printed.Error);
        printed.Json["inputs"]!["evaluation:clean/manifest"].ShouldNotBeNull();
        printed.Json["inputs"]!["model:tokenizer"]!["name"]!.GetValue<string>().ShouldBe("bpe.txt.gz");
        scored.Code.ShouldBe(0, scored.Error);
        scored.Json["models"]![0]!["name"]!.GetValue<string>().ShouldBe("model");
        scored.Json["models"]![0]!["sets"]!["clean"].ShouldNotBeNull();
    }

    [Fact]
    public async Task A_torn_shard_that_may_fail_is_named_and_the_rest_gives_the_same_digests()
    {
        var started = (await system.EventsAsync(await system.UndisturbedRunAsync()))[0]!["event"]!.AsObject();
        var inputs = started["inputs"]!.DeepClone().AsObject();
        inputs["dataset:shards/torn"] = inputs["model:tokenizer"]!.DeepClone();
        string Event(string run, double tolerated)
        {
            var parameters = started["parameters"]!.DeepClone().AsObject();
            parameters["extraction"]!["toleratedFailures"] = tolerated;
            return new JsonObject
            {
                ["run"] = run,
                ["inputs"] = inputs.DeepClone(),
                ["parameters"] = parameters,
                ["seed"] = started["seed"]!.DeepClone(),
            }.ToJsonString();
        }

        (await system.Broker.PublishAsync("amq.default", "dataset-ready", Event("torn-tolerated", 0.5))).ShouldBeTrue();
        (await system.Broker.PublishAsync("amq.default", "dataset-ready", Event("torn-strict", 0))).ShouldBeTrue();
        var tolerated = await WatchAsync("torn-tolerated");
        var strict = await WatchAsync("torn-strict");

        tolerated.Code.ShouldBe(0, tolerated.Error);
        (await system.DigestsAsync("torn-tolerated")).ShouldBe(system.EmbeddedDigests);
        var missing = (await system.ClientAsync("show", "torn-tolerated")).Json["missing"]!.AsArray().ShouldHaveSingleItem()!;
        missing["unit"]!.GetValue<string>().ShouldBe("torn");
        strict.Code.ShouldBe(1);
        strict.Error.ShouldContain("embedding-extraction/torn failed");
    }

    [Theory]
    [InlineData("""{"inputs":{},"parameters":{}}""", "inputs is missing")]
    [InlineData("""{"inputs":5,"parameters":{}}""", "inputs")]
    [InlineData("""{"inputs":{},"parameters":{},"seeed":3}""", "seeed")]
    [InlineData(
        """{"inputs":{"model:weights":{"digest":"x","length":1,"mediaType":"a","name":"b"}},"parameters":{}}""",
        "inputs['model:weights'].digest"
    )]
    [InlineData("no json", "not a valid event")]
    public async Task An_invalid_event_is_kept_in_the_error_queue_with_the_field_that_is_wrong(string text, string field)
    {
        (await system.Broker.PublishAsync("amq.default", "dataset-ready", text)).ShouldBeTrue();

        for (var look = 0; look < 100; look++)
        {
            var kept = (await system.Broker.PeekAsync("dataset-ready_error")).Where(message => message.Text == text).ToArray();
            if (kept.Length > 0)
            {
                kept[0].Headers["MT-Fault-Message"]!.GetValue<string>().ShouldContain(field);
                return;
            }

            await Task.Delay(100);
        }

        Assert.Fail("the event did not come to the error queue");
    }

    [Fact]
    public async Task A_cancelled_run_stops_and_a_retry_finishes_it()
    {
        using var client = await system.StartAfreshAsync();
        var run = await DistributedSystem.RunOfAsync(client);
        var tuning = system.Process(ParameterSections.Tuning);
        await DistributedSystem.LogsAsync(tuning, $"{run}: fine-tuning/", 1);

        (await system.ClientAsync("cancel", run)).Code.ShouldBe(0);
        var ended = await client.EndAsync();
        var retried = await system.ClientAsync("retry", run);

        ended.Code.ShouldBe(1);
        ended.Error.ShouldContain("was cancelled");
        retried.Code.ShouldBe(0, retried.Error);
        (await system.DigestsAsync(retried.Json["runId"]!.GetValue<string>())).ShouldBe(system.EmbeddedDigests);
    }

    [Fact]
    public async Task Cancelling_reaches_a_unit_that_would_work_for_minutes_within_seconds()
    {
        using var client = await system.StartLongTuningAsync();
        var run = await DistributedSystem.RunOfAsync(client);
        await DistributedSystem.LogsAsync(system.Process(ParameterSections.Tuning), $"{run}: fine-tuning/", 1);
        await Task.Delay(TimeSpan.FromSeconds(3)); // into its steps

        (await system.ClientAsync("cancel", run)).Code.ShouldBe(0);
        var ended = await client.EndAsync();

        ended.Code.ShouldBe(1);
        ended.Error.ShouldContain("was cancelled");
        (await AtAsync(run, "unit-stopped/1", "fine-tuning") - await AtAsync(run, "run-cancel-requested/1", null)).ShouldBeLessThan(
            TimeSpan.FromSeconds(10)
        );
    }

    [Fact]
    public async Task What_is_cancelled_while_no_worker_runs_is_not_computed_when_one_comes()
    {
        var reporting = system.Process(ParameterSections.Report);
        var (client, run) = await ReplayToWaitingReportAsync(reporting);
        using var replay = client;
        (await system.ClientAsync("cancel", run)).Code.ShouldBe(0);

        reporting.Start();
        var ended = await client.EndAsync();

        ended.Code.ShouldBe(1);
        ended.Error.ShouldContain("was cancelled");
        await AtAsync(run, "unit-stopped/1", "report");
        reporting.Log.ShouldNotContain($"{run}: report/");
    }

    [Fact]
    public async Task A_run_whose_messages_are_lost_goes_on_when_it_is_tried_again()
    {
        var reporting = system.Process(ParameterSections.Report);
        var (client, run) = await ReplayToWaitingReportAsync(reporting);
        using var replay = client;
        await system.Broker.LoseAsync("report-interactive");
        reporting.Start();

        var retried = await system.ClientAsync("retry", run);

        retried.Code.ShouldBe(0, retried.Error);
        retried.Json["runId"]!.GetValue<string>().ShouldBe(run);
        (await client.EndAsync()).Code.ShouldBe(0);
    }

    [Fact]
    public async Task A_unit_that_waits_behind_a_busy_worker_goes_to_one_that_comes()
    {
        var origin = await system.UndisturbedRunAsync();
        var started = (await system.EventsAsync(origin))[0]!["event"]!.AsObject();
        using var client = await system.StartLongTuningAsync();
        var run = await DistributedSystem.RunOfAsync(client);
        await DistributedSystem.LogsAsync(system.Process(ParameterSections.Tuning), $"{run}: fine-tuning/", 1);

        (
            await system.Broker.PublishAsync("amq.default", "dataset-ready", PriorityTests.Event("waits", started, origin, "fine-tuning"))
        ).ShouldBeTrue();
        await system.Broker.WaitForAsync("fine-tuning", 1);
        using var idle = system.NewProcess(ParameterSections.Tuning, "tuning-idle");
        idle.Start();

        await DistributedSystem.LogsAsync(idle, "waits: fine-tuning/", 1);
        client.HasExited.ShouldBeFalse();
        (await system.ClientAsync("cancel", run)).Code.ShouldBe(0);
        (await client.EndAsync()).Error.ShouldContain("was cancelled");
        (await WatchAsync("waits")).Code.ShouldBe(0);
        (await idle.StopAsync()).ShouldBe(0, idle.Log);
    }

    [Fact]
    public async Task An_event_that_comes_while_the_store_is_away_begins_its_run_when_the_store_is_back()
    {
        var origin = await system.UndisturbedRunAsync();
        var text = PriorityTests.Event("patient", (await system.EventsAsync(origin))[0]!["event"]!.AsObject(), origin, "report");
        var coordinators = system.Processes.Where(process => process.Service == "coordinator").ToArray();
        foreach (var coordinator in coordinators)
        {
            (await coordinator.StopAsync()).ShouldBe(0, coordinator.Log);
        }

        using var impatient = system.NewProcess("coordinator", "impatient", ("ClipSae__S3__OutageTolerance", "00:00:01"));
        impatient.Start();
        await DistributedSystem.LogsAsync(impatient, "Application started", 1);
        await system.Objects.PauseAsync();
        try
        {
            (await system.Broker.PublishAsync("amq.default", "dataset-ready", text)).ShouldBeTrue();
            await DistributedSystem.LogsAsync(impatient, "did not answer while", 2);
        }
        finally
        {
            await system.Objects.ResumeAsync();
        }

        foreach (var coordinator in coordinators)
        {
            coordinator.Start();
        }

        (await WatchAsync("patient")).Code.ShouldBe(0);
        (await system.Broker.PeekAsync("dataset-ready_error")).ShouldNotContain(message => message.Text == text);
        (await impatient.StopAsync()).ShouldBe(0, impatient.Log);
    }

    [Fact]
    public async Task A_worker_of_one_unit_ends_when_none_comes()
    {
        using var once = system.NewProcess(ParameterSections.Report, "reporting-idle", ("ClipSae__OnceWait", "00:00:02"));
        once.Start("--once");

        (await once.EndAsync()).ShouldBe(0, once.Log);
        once.Log.ShouldContain("no unit arrived within");
    }

    [Fact]
    public async Task A_replay_computes_only_what_its_change_touches()
    {
        var origin = await system.UndisturbedRunAsync();

        var replay = await system.ClientAsync("replay", origin, "--from", "evaluation", "--set", "evaluation.resamples=1200");

        replay.Code.ShouldBe(0, replay.Error);
        replay.Json["stages"]!
            .AsArray()
            .Where(stage => stage!["cache"]!.GetValue<string>() == "miss")
            .Select(stage => stage!["stage"]!.GetValue<string>())
            .ShouldBe(["zero-shot-evaluation", "report"]);
        var explained = await system.ClientAsync("explain", replay.Json["runId"]!.GetValue<string>());
        explained.Out.ShouldContain("resamples");
    }

    [Fact]
    public async Task A_worker_of_one_unit_ends_after_it()
    {
        var origin = await system.UndisturbedRunAsync();
        var reporting = system.Process(ParameterSections.Report);
        (await reporting.StopAsync()).ShouldBe(0, reporting.Log);
        using var once = system.NewProcess(ParameterSections.Report, "reporting-once");
        once.Start("--once");

        var replay = await system.ClientAsync("replay", origin, "--from", "report");

        (await once.EndAsync()).ShouldBe(0, once.Log);
        replay.Code.ShouldBe(0, replay.Error);
        reporting.Start();
    }

    /// <summary>Stops the worker of reports, and replays a run whose report then waits for one.</summary>
    private async Task<(Command Client, string Run)> ReplayToWaitingReportAsync(ServiceProcess reporting)
    {
        var origin = await system.UndisturbedRunAsync();
        (await reporting.StopAsync()).ShouldBe(0, reporting.Log);
        var client = Command.Start(
            ["replay", origin, "--from", "report", "--data", system.Data, "--json"],
            environment: system.Environment
        );
        var run = await DistributedSystem.RunOfAsync(client);
        await system.Broker.WaitForAsync("report-interactive", 1);
        return (client, run);
    }

    /// <summary>When the one event of this type, of this stage where one is given, came into the run.</summary>
    private async Task<DateTimeOffset> AtAsync(string run, string type, string? stage) =>
        (await system.EventsAsync(run))
            .Select(stored => stored!["event"]!)
            .Single(happened =>
                happened["type"]!.GetValue<string>() == type && (stage is null || happened["stage"]!.GetValue<string>() == stage)
            )["at"]!.GetValue<DateTimeOffset>();

    /// <summary>Follows a run that may not have begun yet.</summary>
    private async Task<CommandResult> WatchAsync(string run)
    {
        for (var look = 0; look < 100; look++)
        {
            if ((await system.ClientAsync("runs")).Json["runs"]!.AsArray().Any(one => one!["runId"]!.GetValue<string>() == run))
            {
                return await system.ClientAsync("watch", run);
            }
        }

        throw new TimeoutException($"run {run} did not begin");
    }

    private async Task<string> EventRunAsync()
    {
        for (var look = 0; look < 100; look++)
        {
            var runs = (await system.ClientAsync("runs")).Json["runs"]!.AsArray().Select(run => run!["runId"]!.GetValue<string>());
            if (runs.FirstOrDefault(run => run.StartsWith("event-", StringComparison.Ordinal)) is { } found)
            {
                return found;
            }
        }

        throw new TimeoutException("no run began");
    }
}
