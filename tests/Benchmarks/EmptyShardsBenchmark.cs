using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using ClipSae.Coordinator;
using ClipSae.Hosting.Service;
using ClipSae.Hosting.Settings;
using ClipSae.Pipeline.Runs;
using ClipSae.Pipeline.Stages;

namespace ClipSae.Benchmarks;

/// <summary>
/// Units that do nothing, through a real broker, the log in a real object store and the coordinator: what the machinery alone gives.
/// </summary>
internal sealed class EmptyShardsBenchmark : IBenchmark
{
    public string Verb => "empty-shards";

    public string Summary => "units a second through RabbitMQ, log and coordinator [units, default 10000]";

    public void Run(IReadOnlyList<string> options, TextWriter output) =>
        RunAsync(options.Count > 0 ? int.Parse(options[0], CultureInfo.InvariantCulture) : 10_000, output).GetAwaiter().GetResult();

    private static async Task RunAsync(int units, TextWriter output)
    {
        await using var servers = await DistributedServers.StartAsync();

        // Coordinator and worker as one process.
        servers.StartHere(unitsAtOnce: 128, services => services.AddCoordinator().AddStage<EmptyStage>());
        await using var runtime = servers.OpenClient(services => services.AddStage<EmptyStage>());
        await Task.Delay(TimeSpan.FromSeconds(5));
        var table = new MarkdownTable("units", "s", "units/s", "appends", "memory resident MiB");
        foreach (var count in new[] { 200, units / 2, units, units }) // the last twice: what a run leaves behind would show in its memory
        {
            var plan = new RunPlan([
                new StagePlan(
                    EmptyStage.StageName,
                    [],
                    [.. Enumerable.Range(0, count).Select(unit => new UnitPlan(unit.ToString("D6", CultureInfo.InvariantCulture), [], []))],
                    []
                ),
            ]);
            var start = Stopwatch.GetTimestamp();
            var run = await runtime.SubmitAsync(
                new RunSpec(
                    new Dictionary<string, ArtifactRef> { ["dataset:manifest"] = new("sha256:" + new string('0', 64), 0, "x/y", "none") },
                    []
                ),
                plan
            );
            var state = await runtime.WaitAsync(run);
            var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
            if (state.Status != RunStatus.Completed)
            {
                throw new InvalidOperationException($"the run ended {state.Status}");
            }

            table.Add(
                count.ToString(CultureInfo.InvariantCulture),
                seconds.ToString("F1", CultureInfo.InvariantCulture),
                (count / seconds).ToString("F0", CultureInfo.InvariantCulture),
                (await Appends(servers.Options, run)).ToString(CultureInfo.InvariantCulture),
                (Environment.WorkingSet >> 20).ToString(CultureInfo.InvariantCulture)
            );
        }

        table.Print(output);
        output.WriteLine();
    }

    private static async Task<int> Appends(ClipSaeOptions settings, string run)
    {
        using var store = new ObjectStorage.S3ObjectStore(settings.S3, TimeProvider.System);
        return (await store.ListAsync($"runs/{run}/events/")).Count;
    }

    private sealed class EmptyStage : IStage
    {
        public const string StageName = "empty";

        public string Name => StageName;

        public int AlgorithmVersion => 1;

        public bool Cacheable => false;

        public JsonObject Normalize(JsonObject parameters) => parameters;

        public Task<StageResult> RunAsync(StageContext context, CancellationToken cancel) =>
            Task.FromResult(new StageResult(new Dictionary<string, ArtifactRef>(), []));
    }
}
