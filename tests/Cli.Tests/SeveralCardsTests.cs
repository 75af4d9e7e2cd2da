using System.Text.Json.Nodes;
using ClipSae.Cli.Demo;
using ClipSae.Coordinator;
using ClipSae.Datasets.Import;
using ClipSae.Datasets.Sources;
using ClipSae.Hosting.Service;
using ClipSae.Hosting.Settings;
using ClipSae.Hosting.Worker;
using ClipSae.Pipeline.Runs;
using ClipSae.Service;
using ClipSae.Tensors;
using ClipSae.TestKit.Files;
using Microsoft.Extensions.DependencyInjection;

namespace ClipSae.Cli.Tests;

/// <summary>The real extraction on several devices of one process; the processor stands in for each card.</summary>
public sealed class SeveralCardsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Three_devices_give_the_digests_of_one()
    {
        (
            await CommandRun.OfAsync("make-dataset", _folder.File("world"), "--train", "0", "--tuning", "48", "--evaluation", "4")
        ).Code.ShouldBe(0);

        var one = await ExtractAsync("one", "cpu");
        var three = await ExtractAsync("three", "cpu", "cpu", "cpu");

        one.Count.ShouldBe(12); // shards of four pictures
        three.ShouldBe(one);
    }

    private async Task<IReadOnlyList<string>> ExtractAsync(string data, params string[] cards)
    {
        await using var runtime = EmbeddedRuntime.Create(
            new ClipSaeOptions { DataFolder = _folder.File(data), UnitsAtOnce = cards.Length },
            services =>
            {
                services.AddSingleton(new WorkerCards(cards, Compute.Assign)).AddCoordinator();
                StageCatalogue.AddAll(services);
            }
        );
        var dataset = await DatasetImporter.ImportAsync(
            _folder.File("world", "tuning"),
            new ImportOptions { ShardItems = 4 },
            runtime.Artifacts
        );
        var inputs = new Dictionary<string, ArtifactRef>
        {
            ["model:weights"] = await runtime.Artifacts.PutFileAsync(DemoFiles.Model, "model.safetensors", "application/x-safetensors"),
        };
        string[] names = [.. Enumerable.Range(0, dataset.Shards.Count).Select(shard => FormattableString.Invariant($"{shard:D5}"))];
        foreach (var (shard, name) in dataset.Shards.Zip(names))
        {
            inputs[$"dataset:shards/{name}"] = shard;
        }

        var parameters = new JsonObject
        {
            ["device"] = WorkerCards.Any,
            ["hookPoints"] = new JsonArray("mlp@1"),
            ["batchSize"] = 2,
        };
        var plan = new RunPlan([
            new StagePlan(
                "embedding-extraction",
                parameters,
                [.. names.Select(name => new UnitPlan(name, [], [new InputSelector("shard", $"dataset:shards/{name}")]))],
                [new InputSelector("model", "model:weights")]
            ),
        ]);
        var state = await runtime.WaitAsync(await runtime.SubmitAsync(new RunSpec(inputs, [], 1, false), plan));

        state.Status.ShouldBe(RunStatus.Completed, state.FirstFailure()?.Reason);
        return [.. names.Select(name => state.Stages["embedding-extraction"].Finished(name)!.Outputs["mlp@1"].Digest)];
    }
}
