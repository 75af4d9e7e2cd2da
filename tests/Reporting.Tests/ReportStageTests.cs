using System.Text.Json.Nodes;
using ClipSae.Artifacts;
using ClipSae.Datasets.Import;
using ClipSae.Datasets.Sources;
using ClipSae.Pipeline.Events;
using ClipSae.Pipeline.Stages;
using ClipSae.Results;
using ClipSae.Results.Autoencoders;
using ClipSae.Results.Evaluation;
using ClipSae.TestKit.Files;

namespace ClipSae.Reporting.Tests;

public sealed class ReportStageTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly ReportStage _stage = new();

    [Fact]
    public async Task A_report_is_made_from_whatever_inputs_there_are()
    {
        var sample = SampleRun.Data();
        var page = await RunAsync(
            new Dictionary<string, ArtifactRef>
            {
                ["zero-shot-evaluation/all/results"] = await PutAsync(ResultFormats.Evaluation, sample.Results!),
                ["zero-shot-evaluation/all/examples"] = await PutAsync(ResultFormats.Examples, sample.Examples),
                ["attack-curation/all/salient"] = await PutAsync(ResultFormats.Salient, sample.Salient!),
                ["attack-curation/all/attacks"] = await ShardAsync(),
                ["fine-tuning/penalise.s0/curves"] = await PutAsync(ResultFormats.Curves, sample.Curves["penalise.s0"]),
                ["fine-tuning/penalise.s0/model"] = await Store.PutBytesAsync("weights"u8.ToArray(), "model", MediaTypes.Safetensors),
                ["weight-conversion/penalise.s0/proof"] = await PutAsync(ResultFormats.Proof, sample.Proofs["penalise.s0"]),
                ["sae-training/mlp@0/statistics"] = await PutAsync(
                    ResultFormats.Statistics,
                    new SaeStatistics("mlp@0", sample.Autoencoders[1].Metrics, [], sample.Autoencoders[1].Features)
                ),
                ["dataset/manifest"] = await Store.PutBytesAsync(sample.Dataset!.Serialize(), "manifest", DatasetManifest.MediaType),
                ["dataset/shards/00000"] = await ShardAsync(),
            }
        );

        page.ShouldContain("<section id=\"attacks\">");
        page.ShouldContain("3 of 3 images. 3 have a printed word that fools the base model");
        page.ShouldContain("title=\"images/00001.png\""); // top image of a feature, found in the data set's shard
        page.ShouldContain("computed by an earlier run");
    }

    [Fact]
    public async Task A_run_that_has_nothing_to_show_still_gets_its_page() => (await RunAsync([])).ShouldContain("no evaluation");

    [Fact]
    public async Task Without_sets_the_page_says_so_and_names_the_tuned_model()
    {
        var page = await RunAsync(
            new Dictionary<string, ArtifactRef>
            {
                ["zero-shot-evaluation/all/results"] = await PutAsync(
                    ResultFormats.Evaluation,
                    new EvaluationResults(
                        "base",
                        "penalise.s0",
                        [],
                        ["a photo of a {}"],
                        1000,
                        0,
                        null,
                        [],
                        [Model("base", null, null), Model("penalise.s0", "penalise", 0.75)],
                        [new ArmScores("penalise", false, [0], 0.75, new Dictionary<string, ArmSetScores>())]
                    )
                ),
            }
        );

        page.ShouldContain("No sets to evaluate on were given");
        page.ShouldContain("<b>penalise.s0</b>");
        page.ShouldNotContain("before-after");
    }

    [Fact]
    public void It_is_made_anew_each_time() => ((IStage)_stage).Cacheable.ShouldBeFalse();

    [Fact]
    public void An_impossible_parameter_is_named() =>
        Should
            .Throw<UserErrorException>(() => _stage.Normalize(new JsonObject { ["imageSide"] = 3 }))
            .Message.ShouldContain("report.imageSide");

    public void Dispose() => _folder.Dispose();

    private FolderArtifactStore Store => new(_folder.File("store"));

    private async Task<string> RunAsync(Dictionary<string, ArtifactRef> inputs)
    {
        Directory.CreateDirectory(_folder.File("scratch"));
        var context = new StageContext
        {
            Stage = _stage.Name,
            Parameters = _stage.Normalize([]),
            Inputs = inputs,
            Artifacts = Store,
            Scratch = _folder.File("scratch"),
            RunLog = new OneUnit(),
        };
        var result = await _stage.RunAsync(context, CancellationToken.None);
        return await File.ReadAllTextAsync(await Store.FetchAsync(result.Outputs["report"]));
    }

    private static ModelScores Model(string name, string? arm, double? validation) =>
        new(name, arm, 0, validation, new Dictionary<string, SetScores>(), new Dictionary<string, RetrievalScores>());

    private Task<ArtifactRef> PutAsync<T>(ResultFormat<T> format, T content)
        where T : class => Store.PutBytesAsync(format.Write(content), "content", format.MediaType);

    private async Task<ArtifactRef> ShardAsync()
    {
        var captions = new JsonObject();
        Directory.CreateDirectory(_folder.File("pictures", "images"));
        foreach (var (picture, index) in SampleRun.Pictures("attacked", 3).Select((picture, index) => (picture, index)))
        {
            await File.WriteAllBytesAsync(_folder.File("pictures", "images", $"{index:D5}.png"), picture.Png.ToArray());
            captions[$"images/{index:D5}.png"] = new JsonArray("a photo");
        }

        await File.WriteAllTextAsync(_folder.File("pictures", "captions.json"), captions.ToJsonString());
        return (await DatasetImporter.ImportAsync(_folder.File("pictures"), new ImportOptions(), Store)).Shards[0];
    }

    private sealed class OneUnit : IRunLog
    {
        public Task<IReadOnlyList<StoredEvent>> ReadAsync(CancellationToken cancel) =>
            Task.FromResult<IReadOnlyList<StoredEvent>>([
                new StoredEvent(
                    1,
                    new RunStarted(
                        "run",
                        new RunPlan([new StagePlan("sae-training", [], [new UnitPlan("mlp@0", [], [])], [])]),
                        new RunSpec(new Dictionary<string, ArtifactRef>(), [])
                    )
                    {
                        At = SampleRun.Begin,
                    }
                ),
                new StoredEvent(
                    2,
                    new UnitFinished(
                        "sae-training",
                        "mlp@0",
                        "worker",
                        "key",
                        new Dictionary<string, ArtifactRef>(),
                        ResultFormats.AutoencoderMetrics.ToJson(SampleRun.Data().Autoencoders[1].Metrics),
                        new CacheOutcome(CacheKind.Hit, "computed by an earlier run"),
                        1.5,
                        SampleRun.Begin
                    )
                    {
                        At = SampleRun.Begin,
                    }
                ),
            ]);
    }
}
