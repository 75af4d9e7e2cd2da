using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using ClipSae.Coordinator;
using ClipSae.Hosting.Service;
using ClipSae.Pipeline.Stages;

namespace ClipSae.Benchmarks;

/// <summary>
/// What one shard costs beyond compute and transfer: units whose stage only stores two small artifacts, one at a time, through broker,
/// results, checkpoints, log and coordinator. Every unit is computed and stored; the object store's own share is what as many requests cost
/// a plain client.
/// </summary>
internal sealed class ShardCostBenchmark : IBenchmark
{
    public string Verb => "shard-cost";

    public string Summary => "cost of the machinery a shard: message, results, artifacts, log; one unit at a time [units, default 300]";

    public void Run(IReadOnlyList<string> options, TextWriter output) =>
        RunAsync(options.Count > 0 ? int.Parse(options[0], CultureInfo.InvariantCulture) : 300, output).GetAwaiter().GetResult();

    private static async Task RunAsync(int units, TextWriter output)
    {
        await using var servers = await DistributedServers.StartAsync();
        servers.StartHere(unitsAtOnce: 1, services => services.AddCoordinator().AddStage<SmallStage>());
        await using var client = servers.OpenClient(services => services.AddStage<SmallStage>());
        await Task.Delay(TimeSpan.FromSeconds(5));
        var inputs = new Dictionary<string, ArtifactRef> { ["dataset:manifest"] = new("sha256:" + new string('0', 64), 0, "x/y", "none") };
        await DistributedServers.RunAsync(client, Plan("warm", 20), inputs);
        var start = Stopwatch.GetTimestamp();
        var state = await DistributedServers.RunAsync(client, Plan("timed", units), inputs);
        var all = Stopwatch.GetElapsedTime(start).TotalMilliseconds / units;
        var facts = state.Stages[SmallStage.StageName].FinishedUnits().ToArray();
        var steady = (facts.Max(fact => fact.At) - facts.Min(fact => fact.StartedAt)).TotalMilliseconds / units;
        var inside = facts.Average(fact => fact.Seconds) * 1000;
        var request = await RequestAsync(servers);

        var table = new MarkdownTable($"{units} units, one at a time", "ms a unit");
        table.Add("from the first unit's start to the last one's end", Text(steady));
        table.Add("of it within the stage runner: results, two artifacts, checkpoints", Text(inside));
        table.Add("of it messages and hand-over", Text(steady - inside));
        table.Add("from submit to the end seen by the client", Text(all));
        table.Add("one small request to the object store", Text(request));
        table.Print(output);
        output.WriteLine();
    }

    private static async Task<double> RequestAsync(DistributedServers servers)
    {
        const int Requests = 200;
        using var store = new ObjectStorage.S3ObjectStore(servers.Options.S3, TimeProvider.System);
        var content = new byte[200];
        await store.WriteAsync("probe/benchmark", content);
        var start = Stopwatch.GetTimestamp();
        for (var i = 0; i < Requests / 2; i++)
        {
            await store.WriteAsync("probe/benchmark", content);
            await store.ReadAsync("probe/benchmark");
        }

        return Stopwatch.GetElapsedTime(start).TotalMilliseconds / Requests;
    }

    private static RunPlan Plan(string name, int units) =>
        new([
            new StagePlan(
                SmallStage.StageName,
                [],
                [
                    .. Enumerable
                        .Range(0, units)
                        .Select(unit => new UnitPlan($"{name}-{unit:D5}", new JsonObject { ["text"] = $"{name} {unit}" }, [])),
                ],
                []
            ),
        ]);

    private static string Text(double value) => value.ToString("F1", CultureInfo.InvariantCulture);

    private sealed class SmallStage : IStage
    {
        public const string StageName = "small";

        public string Name => StageName;

        public int AlgorithmVersion => 1;

        public bool Cacheable => true;

        public JsonObject Normalize(JsonObject parameters) => parameters;

        public async Task<StageResult> RunAsync(StageContext context, CancellationToken cancel)
        {
            var text = context.Parameters["text"]?.GetValue<string>() ?? "";
            return new StageResult(
                new Dictionary<string, ArtifactRef>
                {
                    ["one"] = await context.Artifacts.PutBytesAsync(Encoding.UTF8.GetBytes("one " + text), "one", "text/plain", cancel),
                    ["two"] = await context.Artifacts.PutBytesAsync(Encoding.UTF8.GetBytes("two " + text), "two", "text/plain", cancel),
                },
                []
            );
        }
    }
}
