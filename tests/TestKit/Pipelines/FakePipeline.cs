using System.Text.Json.Nodes;
using ClipSae.Coordinator;
using ClipSae.Hosting.Service;
using ClipSae.Hosting.Settings;
using ClipSae.Pipeline.Runs;
using ClipSae.Pipeline.Stages;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace ClipSae.TestKit.Pipelines;

/// <summary>
/// Three stages on a data folder: <c>first</c> with three units, <c>second</c> with one a unit of the first, <c>third</c> over all.
/// </summary>
public sealed class FakePipeline : IDisposable
{
    public FakeStage First { get; } = new("first");

    public FakeStage Second { get; } = new("second");

    public FakeStage Third { get; } = new("third");

    /// <summary>Clock of the processes that start.</summary>
    public TimeProvider Time { get; set; } = TimeProvider.System;

    public string Folder { get; } = Directory.CreateTempSubdirectory("clipsae-test-").FullName;

    public void Dispose() => Directory.Delete(Folder, recursive: true);

    /// <summary>A process on the folder.</summary>
    public EmbeddedRuntime Start(ILoggerProvider? log = null, DeviceProbe? probe = null) =>
        EmbeddedRuntime.Create(
            new ClipSaeOptions
            {
                DataFolder = Folder,
                RetryDelay = TimeSpan.FromMilliseconds(1),
                PollInterval = TimeSpan.FromMilliseconds(40),
            },
            services =>
            {
                services
                    .AddSingleton(Time)
                    .AddCoordinator()
                    .AddSingleton<IStage>(First)
                    .AddSingleton<IStage>(Second)
                    .AddSingleton<IStage>(Third);
                if (log is not null)
                {
                    services.AddSingleton(log);
                }

                if (probe is not null)
                {
                    services.AddSingleton(probe);
                }
            }
        );

    /// <summary>The plan in which a share of the first stage's units may fail; the last stage takes what the first gave.</summary>
    public static RunPlan TolerantPlan(double tolerated, int units = 4)
    {
        var plan = Plan(units);
        return new RunPlan([
            plan.Stages[0] with
            {
                ToleratedFailures = tolerated,
            },
            plan.Stages[2] with
            {
                Units = [new UnitPlan("all", [], [new InputSelector("texts", "first/*:text")])],
            },
        ]);
    }

    public static RunPlan Plan(int units = 3, int factor = 1)
    {
        string[] names = [.. Enumerable.Range(0, units).Select(unit => $"u{unit:D5}")];
        return new RunPlan([
            new StagePlan(
                "first",
                new JsonObject { ["factor"] = factor },
                [.. names.Select((name, index) => new UnitPlan(name, new JsonObject { ["words"] = new JsonArray($"w{index}") }, []))],
                [new InputSelector("data", "dataset:manifest")]
            ),
            new StagePlan(
                "second",
                [],
                [.. names.Select(name => new UnitPlan(name, [], [new InputSelector("text", $"first/{name}:text")]))],
                []
            ),
            new StagePlan("third", [], [new UnitPlan("all", [], [new InputSelector("texts", "second/*:text")])], []),
        ]);
    }

    public static async Task<RunSpec> RequestAsync(EmbeddedRuntime runtime, bool verify = false)
    {
        var manifest = await runtime.Artifacts.PutBytesAsync("data"u8.ToArray(), "manifest.json", "application/json");
        return new RunSpec(new Dictionary<string, ArtifactRef> { ["dataset:manifest"] = manifest }, [], 7, verify);
    }

    /// <summary>Submits the plan and waits for its end.</summary>
    public static async Task<RunState> RunAsync(EmbeddedRuntime runtime, RunPlan? plan = null, bool verify = false)
    {
        var run = await runtime.SubmitAsync(await RequestAsync(runtime, verify), plan ?? Plan());
        return await runtime.WaitAsync(run);
    }

    public static string Digest(RunState state) => state.Stages["third"].Finished("all")!.Outputs["text"].Digest;

    public static IEnumerable<CacheKind> Caches(RunState state) =>
        state.StagesInOrder().SelectMany(stage => stage.FinishedUnits()).Select(unit => unit.Cache.Kind);
}
