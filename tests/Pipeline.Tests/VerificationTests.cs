using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json.Nodes;
using ClipSae.Artifacts;
using ClipSae.Pipeline.Events;
using ClipSae.Pipeline.Execution;
using ClipSae.Pipeline.Runs;
using ClipSae.Pipeline.Stages;
using ClipSae.TestKit.Files;
using Microsoft.Extensions.Logging.Abstractions;

namespace ClipSae.Pipeline.Tests;

/// <summary>Results that are computed again, with the same threads and with others.</summary>
public sealed class VerificationTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly NumberStage _stage = new();
    private readonly ChosenTraits _traits = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_result_records_what_computed_it_and_a_hit_says_what_has_changed()
    {
        var first = await RunAsync(verify: false);
        _traits.Threads = 1;
        var taken = await RunAsync(verify: false);

        first.Computed.ShouldBe(new ComputeTraits("1.0", 2, "x64 avx2", "cpu"));
        taken.Cache.ShouldBe(new CacheOutcome(CacheKind.Hit, "same parameters and inputs as in run run; computed with 2 threads, now 1"));
        taken.Computed.ShouldBe(first.Computed);
    }

    [Fact]
    public async Task With_other_threads_what_agrees_within_the_tolerance_is_verified()
    {
        await RunAsync(verify: false);
        _traits.Threads = 1;
        _stage.Factor = 1.0001f;

        var verified = await RunAsync(verify: true);

        verified.Cache.Kind.ShouldBe(CacheKind.Verified);
        verified.Cache.Reason.ShouldBe(
            "computed again: 0 of 2 outputs equal those of run run, the others agree within 0.01 (computed with 2 threads, now 1)"
        );
    }

    [Fact]
    public async Task With_other_threads_what_is_beyond_the_tolerance_is_refused_with_both_reasons()
    {
        await RunAsync(verify: false);
        _traits.Threads = 1;
        _stage.Factor = 1.5f;

        (await Should.ThrowAsync<UserErrorException>(() => RunAsync(verify: true))).Message.ShouldBe(
            "numbers/all: computed again, json, tensors differ from what run run stored; "
                + "computed with 2 threads, now 1, and beyond that: json.mean was 2, is 3"
        );
    }

    [Fact]
    public async Task With_the_same_threads_every_bit_counts()
    {
        await RunAsync(verify: false);
        _stage.Factor = 1.0001f;

        (await Should.ThrowAsync<UserErrorException>(() => RunAsync(verify: true))).Message.ShouldBe(
            "numbers/all: computed again, json, tensors differ from what run run stored"
        );
    }

    [Fact]
    public async Task A_tensor_beyond_the_tolerance_is_named()
    {
        await RunAsync(verify: false);
        _traits.Threads = 1;
        _stage.LastElement = 4.1f;

        (await Should.ThrowAsync<UserErrorException>(() => RunAsync(verify: true))).Message.ShouldEndWith(
            "and beyond that: tensors[weight] differs by 0.025 of its largest number"
        );
    }

    [Fact]
    public async Task A_unit_of_another_version_is_not_computed()
    {
        var unit = new RunUnit("run", "numbers", "all", [], new Dictionary<string, ArtifactRef>(), AlgorithmVersion: 2);

        (
            await Should.ThrowAsync<UserErrorException>(() => CreateSut().RunAsync(unit, new Progress<UnitProgress>(), default))
        ).Message.ShouldStartWith("numbers/all: the run was started with version 2 of numbers, this worker has 1");
    }

    [Fact]
    public void A_plan_is_pinned_from_a_stage_on()
    {
        var plan = new RunPlan([
            new StagePlan("a", [], [], [], AlgorithmVersion: 1),
            new StagePlan("b", [], [], [], AlgorithmVersion: 1),
            new StagePlan("c", [], [], []),
        ]);

        PlanVersions.Pin(plan, stage => stage == "c" ? null : 5, "b").Stages.Select(stage => stage.AlgorithmVersion).ShouldBe([1, 5, null]);
        PlanVersions.PinAs(new RunPlan([new StagePlan("b", [], [], [])]), plan).Stages[0].AlgorithmVersion.ShouldBe(1);
    }

    private Task<UnitFinished> RunAsync(bool verify) =>
        CreateSut()
            .RunAsync(
                new RunUnit("run", "numbers", "all", [], new Dictionary<string, ArtifactRef>(), verify),
                new Progress<UnitProgress>(),
                default
            );

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
            NullLoggerFactory.Instance,
            _traits
        );
    }

    private sealed class ChosenTraits : IComputeTraits
    {
        public int Threads { get; set; } = 2;

        public ComputeTraits Of(JsonObject parameters) => new("1.0", Threads, "x64 avx2", "cpu");
    }

    /// <summary>Gives a tensor and its mean, a little different each time it is told to.</summary>
    private sealed class NumberStage : IStage
    {
        public float Factor { get; set; } = 1;

        public float LastElement { get; set; } = 4;

        public string Name => "numbers";

        public int AlgorithmVersion => 1;

        public JsonObject Normalize(JsonObject parameters) => parameters;

        public async Task<StageResult> RunAsync(StageContext context, CancellationToken cancel)
        {
            float[] values = [1 * Factor, 2 * Factor, LastElement * Factor];
            var header = Encoding.UTF8.GetBytes("""{"weight":{"dtype":"F32","shape":[3],"data_offsets":[0,12]}}""");
            var length = new byte[8];
            BinaryPrimitives.WriteInt64LittleEndian(length, header.Length);
            byte[] file = [.. length, .. header, .. MemoryMarshal.AsBytes<float>(values)];
            return new StageResult(
                new Dictionary<string, ArtifactRef>
                {
                    ["tensors"] = await context.Artifacts.PutBytesAsync(file, "tensors", "application/x-safetensors", cancel),
                    ["json"] = await context.Artifacts.PutBytesAsync(
                        Encoding.UTF8.GetBytes(new JsonObject { ["mean"] = 2.0 * Factor }.ToJsonString()),
                        "json",
                        "application/json",
                        cancel
                    ),
                },
                []
            );
        }
    }
}
