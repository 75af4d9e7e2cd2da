using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using ClipSae.Clip.Architecture;
using ClipSae.Clip.Cuda;
using ClipSae.Clip.Model;
using ClipSae.Datasets.Import;
using ClipSae.Datasets.Sources;
using ClipSae.EmbeddingExtraction;
using ClipSae.Hosting.Service;
using ClipSae.Imaging.Decoding;
using ClipSae.Imaging.Pixels;
using ClipSae.Pipeline.Runs;
using ClipSae.Tensors;
using TorchSharp;

namespace ClipSae.Benchmarks;

/// <summary>
/// Two single-threaded embedding workers against one, as processes of their own, each on a core of its own (else one worker decodes on the
/// second core, and is quicker than a worker of one core is): units a second from the first unit's start to the last one's end. Beside it
/// the bare model in one and in two such processes, without broker, store and decoding: what the machine itself allows.
/// </summary>
internal sealed class ScaleOutBenchmark : IBenchmark
{
    private const int Side = 96;
    private const int Batch = 16;
    private const string Bare = "bare";
    private const string Warm = "warm";
    private const string Done = "done";

    public string Verb => "scale-out";

    public string Summary =>
        "two single-threaded embedding workers against one, ViT-B/16 [units 12] [images a unit 16]; wants two idle cores";

    public void Run(IReadOnlyList<string> options, TextWriter output)
    {
        if (options is [Bare, var weights, var batches])
        {
            RunBare(weights, int.Parse(batches, CultureInfo.InvariantCulture), output);
            return;
        }

        int Option(int index, int otherwise) => options.Count > index ? int.Parse(options[index], CultureInfo.InvariantCulture) : otherwise;
        RunAsync(Option(0, 12), Option(1, 16), output).GetAwaiter().GetResult();
    }

    private static async Task RunAsync(int units, int images, TextWriter output)
    {
        await using var servers = await DistributedServers.StartAsync();
        await using var client = servers.OpenClient(services => services.AddStage<EmbeddingExtractionStage>(ComputeProbe.Instance));
        var inputs = await InputsAsync(client, servers.Folder, images);
        var weights = Path.Combine(servers.Folder, "model.safetensors");
        var batches = units * ((images + Batch - 1) / Batch);
        var bareOne = await BareSecondsAsync(weights, 1, batches);
        var bareTwo = await BareSecondsAsync(weights, 2, batches / 2);
        await servers.StartProgramAsync("ClipSae.Service", ["coordinator"]);
        var seed = 0;
        async Task<double> SecondsAsync(int count)
        {
            var state = await DistributedServers.RunAsync(client, Plan(seed, count), inputs);
            seed += count;
            var facts = state.Stages[ParameterSections.Extraction].FinishedUnits().ToArray();
            return (facts.Max(fact => fact.At) - facts.Min(fact => fact.StartedAt)).TotalSeconds;
        }

        await servers.StartProgramAsync("ClipSae.Service", [ParameterSections.Extraction], core: 0);
        await SecondsAsync(1); // model in the cache, code compiled
        var one = await SecondsAsync(units);
        await servers.StartProgramAsync("ClipSae.Service", [ParameterSections.Extraction], core: 1);
        await SecondsAsync(4);
        var two = await SecondsAsync(units);

        var table = new MarkdownTable("embedding workers", "units", "s", "s a unit and worker", "of one");
        table.Add("bare model, 1 process", Text(units, "F0"), Text(bareOne, "F1"), Text(bareOne / units, "F2"), "1.00");
        table.Add(
            "bare model, 2 processes",
            Text(units, "F0"),
            Text(bareTwo, "F1"),
            Text(2 * bareTwo / units, "F2"),
            Text(bareOne / bareTwo, "F2")
        );
        table.Add("1", Text(units, "F0"), Text(one, "F1"), Text(one / units, "F2"), "1.00");
        table.Add("2", Text(units, "F0"), Text(two, "F1"), Text(2 * two / units, "F2"), Text(one / two, "F2"));
        table.Print(output);
        output.WriteLine();
    }

    /// <summary>Seconds until each of some processes that began together has run its batches through the model, on one thread.</summary>
    private static async Task<double> BareSecondsAsync(string weights, int processes, int batches)
    {
        var running = new List<Process>();
        try
        {
            for (var i = 0; i < processes; i++)
            {
                var start = DistributedServers.OnCore(
                    i,
                    "ClipSae.Benchmarks",
                    ["scale-out", Bare, weights, batches.ToString(CultureInfo.InvariantCulture)]
                );
                start.Environment["OMP_NUM_THREADS"] = "1";
                running.Add(Process.Start(start)!);
            }

            foreach (var process in running)
            {
                await ExpectAsync(process, Warm);
            }

            var began = Stopwatch.GetTimestamp();
            foreach (var process in running)
            {
                await process.StandardInput.WriteLineAsync("go");
                await process.StandardInput.FlushAsync();
            }

            foreach (var process in running)
            {
                await ExpectAsync(process, Done);
            }

            return Stopwatch.GetElapsedTime(began).TotalSeconds;
        }
        finally
        {
            foreach (var process in running)
            {
                process.Kill();
                await process.WaitForExitAsync();
                process.Dispose();
            }
        }
    }

    private static async Task ExpectAsync(Process process, string line)
    {
        if (await process.StandardOutput.ReadLineAsync() is var told && told != line)
        {
            throw new InvalidOperationException($"a bare process said '{told}' in place of '{line}'");
        }
    }

    private static void RunBare(string weights, int batches, TextWriter output)
    {
        Compute.UseThreads(1);
        using var model = ClipModel.Load(weights);
        using var plan = VisionPlan.Compile(model, torch.float32);
        using var batch = torch.randn(Batch, 3, 224, 224);
        using var mode = torch.inference_mode();
        plan.EncodeImage(batch).Dispose();
        output.WriteLine(Warm);
        output.Flush();
        Console.ReadLine();
        for (var i = 0; i < batches; i++)
        {
            plan.EncodeImage(batch).Dispose();
        }

        output.WriteLine(Done);
        output.Flush();
    }

    // Units differ in their seed alone: the same work, and no unit is another's cache hit.
    private static RunPlan Plan(int seed, int count) =>
        new([
            new StagePlan(
                ParameterSections.Extraction,
                new JsonObject { ["hookPoints"] = new JsonArray("image-embedding"), ["batchSize"] = Batch },
                [
                    .. Enumerable
                        .Range(seed, count)
                        .Select(unit => new UnitPlan(
                            unit.ToString("D5", CultureInfo.InvariantCulture),
                            new JsonObject { ["seed"] = unit },
                            [new InputSelector("shard", "dataset:shards/00000")]
                        )),
                ],
                [new InputSelector("model", "model:weights")]
            ),
        ]);

    private static async Task<Dictionary<string, ArtifactRef>> InputsAsync(DistributedRuntime client, string folder, int images)
    {
        var source = Directory.CreateDirectory(Path.Combine(folder, "pictures")).FullName;
        for (var i = 0; i < images; i++)
        {
            var picture = new RgbImage(Side, Side, [.. Enumerable.Range(0, Side * Side * 3).Select(at => (byte)(at * (i + 1)))]);
            await File.WriteAllBytesAsync(Path.Combine(source, $"{i:D4}.png"), PngEncoder.Encode(picture));
            await File.WriteAllTextAsync(Path.Combine(source, $"{i:D4}.txt"), "a picture");
        }

        var dataset = await DatasetImporter.ImportAsync(source, new ImportOptions(), client.Artifacts);
        var weights = Path.Combine(folder, "model.safetensors");
        using (var model = ClipModel.Initialize(new ClipArchitecture(512, 224, 12, 768, 16, 77, 600, 64, 1), 1))
        {
            model.Save(weights);
        }

        return new Dictionary<string, ArtifactRef>
        {
            ["dataset:shards/00000"] = dataset.Shards[0],
            ["model:weights"] = await client.Artifacts.PutFileAsync(weights, "model.safetensors", "application/x-safetensors"),
        };
    }

    private static string Text(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}
