using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using ClipSae.Artifacts;
using ClipSae.Pipeline.Events;
using ClipSae.Pipeline.Execution;
using ClipSae.Pipeline.Stages;
using ClipSae.TestKit.Files;
using Microsoft.Extensions.Logging.Abstractions;

namespace ClipSae.Pipeline.Tests;

public sealed class StageRunnerTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly CountingStage _stage = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task An_interrupted_unit_goes_on_from_its_checkpoint_and_then_removes_it()
    {
        using var stop = new CancellationTokenSource();
        _stage.AfterStep = step =>
        {
            if (step == 3)
            {
                stop.Cancel();
            }
        };
        await Should.ThrowAsync<OperationCanceledException>(() => RunAsync(CreateSut(), stop.Token));
        Directory.GetDirectories(_folder.File("checkpoints")).ShouldHaveSingleItem();
        _stage.AfterStep = _ => { };
        _stage.StepsRun = 0;

        var finished = await RunAsync(CreateSut());

        _stage.StepsRun.ShouldBe(7);
        finished.Metrics["sum"]!.GetValue<int>().ShouldBe(45); // 0 + 1 + … + 9
        Directory.GetDirectories(_folder.File("checkpoints")).ShouldBeEmpty();
        Leftovers().ShouldBeEmpty();
    }

    [Fact]
    public async Task Two_processes_compute_a_unit_once()
    {
        var finished = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() => RunAsync(CreateSut()))));

        finished.Count(one => one.Cache.Kind == CacheKind.Miss).ShouldBe(1);
        _stage.StepsRun.ShouldBe(10);
    }

    [Fact]
    public async Task A_full_disk_is_one_line_that_names_the_folder()
    {
        const int NoSpaceLeft = 28; // errno ENOSPC
        _stage.AfterStep = _ => throw new IOException("No space left on device", NoSpaceLeft);

        var error = await Should.ThrowAsync<UserErrorException>(() => RunAsync(CreateSut()));

        error.Message.ShouldContain("disk full");
        error.Message.ShouldContain(_folder.Path);
        error.Message.ShouldNotContain("\n");
    }

    [Fact]
    public async Task Where_memory_is_short_the_unit_is_tried_with_half_the_batch_as_often_as_it_takes()
    {
        var tried = new List<int>();
        _stage.MayHalveBatches = true;
        _stage.Begins = context =>
        {
            tried.Add(context.Smaller(100));
            if (tried[^1] > 20)
            {
                throw new ExternalException(
                    "CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 15.77 GiB\nof which 1.1 GiB is free"
                );
            }
        };

        var finished = await RunAsync(CreateSut());

        tried.ShouldBe([100, 50, 25, 12]);
        finished.Metrics["sum"]!.GetValue<int>().ShouldBe(45);
        Leftovers().ShouldBeEmpty();
    }

    [Fact]
    public async Task Where_results_depend_on_the_batch_or_one_image_is_too_much_short_memory_is_one_line()
    {
        _stage.Begins = _ =>
            throw new InvalidOperationException(
                "unit",
                new ExternalException("CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 15.77 GiB.\nMore")
            );

        var first = await Should.ThrowAsync<UserErrorException>(() => RunAsync(CreateSut()));
        _stage.MayHalveBatches = true;
        var second = await Should.ThrowAsync<UserErrorException>(() => RunAsync(CreateSut()));

        first.Message.ShouldBe(
            "counting/all: the device does not have enough memory (CUDA out of memory. Tried to allocate 2.00 GiB. "
                + "GPU 0 has a total capacity of 15.77 GiB): count less"
        );
        second.Message.ShouldBe(first.Message);
        Leftovers().ShouldBeEmpty();
    }

    [Fact]
    public async Task A_unit_leaves_a_span_and_counts()
    {
        var spans = new List<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == PipelineTelemetry.Name,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = spans.Add,
        };
        ActivitySource.AddActivityListener(listener);
        var hits = 0L;
        using var meter = new MeterListener
        {
            InstrumentPublished = (instrument, self) =>
            {
                if (instrument.Name == "clipsae.cache.hits")
                {
                    self.EnableMeasurementEvents(instrument);
                }
            },
        };
        meter.SetMeasurementEventCallback<long>((_, count, _, _) => Interlocked.Add(ref hits, count));
        meter.Start();

        await RunAsync(CreateSut(), run: "telemetry");
        await RunAsync(CreateSut(), run: "telemetry");

        var own = spans.Where(span => Equals(span.GetTagItem(PipelineTelemetry.RunTag), "telemetry")).ToArray();
        var units = own.Where(span => span.DisplayName == "counting all").ToArray();
        units.Select(span => span.GetTagItem(PipelineTelemetry.CacheTag)).ShouldBe([false, true]);
        units[0].GetTagItem(PipelineTelemetry.StageTag).ShouldBe("counting");
        units[0].GetTagItem(PipelineTelemetry.UnitTag).ShouldBe("all");
        units[0].GetTagItem(PipelineTelemetry.ArtifactsTag).ShouldBeOfType<string[]>();
        own.Except(units)
            .ShouldAllBe(part => part.ParentSpanId == units[0].SpanId && part.DisplayName.StartsWith("steps ", StringComparison.Ordinal));
        own.Length.ShouldBe(2 + 9, "one span a tenth of the work; the first report only sets the mark");
        hits.ShouldBeGreaterThanOrEqualTo(1);
    }

    [Fact]
    public async Task An_explanation_that_fails_fails_no_unit_and_is_tried_again_for_the_next()
    {
        var runner = CreateSut();
        var log = Directory.CreateDirectory(_folder.File("runs", "origin", "events")).FullName;
        await File.WriteAllTextAsync(Path.Combine(log, "00000001.json"), "damaged", TestContext.Current.CancellationToken);

        var unexplained = await runner.RunAsync(Command("run") with { Origin = "origin" }, new Progress<UnitProgress>(), default);
        Directory.Delete(log, recursive: true);
        var explained = await runner.RunAsync(
            Command("run") with
            {
                Origin = "origin",
                Parameters = new JsonObject { ["n"] = 1 },
            },
            new Progress<UnitProgress>(),
            default
        );

        unexplained.Cache.Reason.ShouldStartWith("unknown: ");
        unexplained.Cache.Reason.ShouldContain("00000001.json");
        explained.Cache.Reason.ShouldBe("parameter n absent → 1 (against run run)");
    }

    [Fact]
    public async Task A_stage_that_is_not_cacheable_runs_each_time()
    {
        _stage.Cacheable = false;

        await RunAsync(CreateSut());
        var second = await RunAsync(CreateSut());

        second.Cache.Reason.ShouldBe("never cached: it reports on the run itself");
        _stage.StepsRun.ShouldBe(20);
    }

    [Fact]
    public async Task An_unknown_stage_is_named()
    {
        var command = Command("run") with { Stage = "countin" };

        var error = await Should.ThrowAsync<UserErrorException>(() => CreateSut().RunAsync(command, new Progress<UnitProgress>(), default));

        error.Message.ShouldBe("no worker for stage countin is hosted here; did you mean counting?");
    }

    [Theory]
    [InlineData(1, "{\"steps\":10}", "a", null)]
    [InlineData(2, "{\"steps\":10}", "a", "algorithm version 1 → 2")]
    [InlineData(1, "{\"steps\":11}", "a", "parameter steps 10 → 11")]
    [InlineData(1, "{\"steps\":10,\"rate\":{\"peak\":0.1}}", "a", "parameter rate absent → {\"peak\":0.1}")]
    [InlineData(1, "{\"steps\":10}", "b", "input data changed")]
    [InlineData(2, "{\"steps\":9}", "b", "algorithm version 1 → 2; parameter steps 10 → 9; input data changed")]
    public void A_difference_of_keys_is_told(int version, string parameters, string digest, string? difference)
    {
        var before = new StageKeyParts("s", 1, new JsonObject { ["steps"] = 10 }, new Dictionary<string, string> { ["data"] = "a" });
        var after = new StageKeyParts(
            "s",
            version,
            JsonNode.Parse(parameters)!.AsObject(),
            new Dictionary<string, string> { ["data"] = digest }
        );

        after.DifferenceFrom(before).ShouldBe(difference);
        (after.Key() == before.Key()).ShouldBe(difference is null);
    }

    [Fact]
    public async Task A_result_that_was_stored_under_former_names_differs_by_its_version_alone()
    {
        var inputs = new Dictionary<string, string>();
        var results = new StageResults(new FolderObjectStore(_folder.Path));
        var before = new StageKeyParts("embedding-extraction", 4, new JsonObject { ["batch"] = 8, ["seed"] = 0 }, inputs);
        await results.SaveAsync("key", new StoredResult(before, "00000", "r", new Dictionary<string, ArtifactRef>(), [], 1, default));

        var stored = await results.FindAsync("key");

        new StageKeyParts("embedding-extraction", 5, new JsonObject { ["batchSize"] = 8, ["seed"] = 0 }, inputs)
            .DifferenceFrom(stored!.Parts)
            .ShouldBe("algorithm version 4 → 5");
    }

    private string[] Leftovers() => Directory.GetDirectories(_folder.File("scratch")).SelectMany(Directory.GetDirectories).ToArray();

    private static Task<UnitFinished> RunAsync(StageRunner runner, CancellationToken cancel = default, string run = "run") =>
        runner.RunAsync(Command(run), new Progress<UnitProgress>(), cancel);

    private static RunUnit Command(string run) => new(run, "counting", "all", [], new Dictionary<string, ArtifactRef>());

    // Each shares nothing with the others but the folder, as processes do.
    private StageRunner CreateSut()
    {
        var scratch = new ProcessScratch(_folder.Path);
        return new StageRunner(
            [_stage],
            new FolderArtifactStore(_folder.Path, scratch),
            new StageResults(new FolderObjectStore(_folder.Path)),
            new FolderKeyLocks(_folder.Path, TimeProvider.System),
            new CheckpointStore(new FolderObjectStore(_folder.Path)),
            new EventStore(new FolderObjectStore(_folder.Path)),
            scratch,
            TimeProvider.System,
            NullLoggerFactory.Instance
        );
    }

    /// <summary>Adds up its steps, with a checkpoint after each.</summary>
    private sealed class CountingStage : IStage
    {
        public int StepsRun { get; set; }

        public bool MayHalveBatches { get; set; }

        public string WhenMemoryIsShort => "count less";

        public Action<StageContext> Begins { get; set; } = _ => { };

        public Action<int> AfterStep { get; set; } = _ => { };

        public string Name => "counting";

        public int AlgorithmVersion => 1;

        public bool Cacheable { get; set; } = true;

        public JsonObject Normalize(JsonObject parameters) => parameters;

        public async Task<StageResult> RunAsync(StageContext context, CancellationToken cancel)
        {
            Begins(context);
            var latest = await context.Checkpoints.LatestAsync(cancel);
            var sum = latest?.State["sum"]!.GetValue<int>() ?? 0;
            for (var step = latest?.State["step"]!.GetValue<int>() ?? 0; step < 10; step++)
            {
                cancel.ThrowIfCancellationRequested();
                sum += step;
                StepsRun++;
                var weights = Path.Combine(context.Scratch, "weights.bin");
                await File.WriteAllTextAsync(weights, $"{sum}", cancel);
                await context.Checkpoints.SaveAsync(
                    new Dictionary<string, string> { ["weights.bin"] = weights },
                    new JsonObject { ["step"] = step + 1, ["sum"] = sum },
                    cancel
                );
                AfterStep(step + 1);
                context.Progress.Report(new StageProgress(step + 1, 10, "steps"));
            }

            return new StageResult(new Dictionary<string, ArtifactRef>(), new JsonObject { ["sum"] = sum });
        }
    }
}
