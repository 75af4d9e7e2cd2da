using System.Text.Json.Nodes;
using ClipSae.Artifacts;
using ClipSae.Clip.Architecture;
using ClipSae.Clip.Model;
using ClipSae.Clip.Tokenizers;
using ClipSae.Datasets.Import;
using ClipSae.Datasets.Sources;
using ClipSae.Pipeline.Stages;
using ClipSae.Results;
using ClipSae.Results.Evaluation;
using ClipSae.Results.Tuning;
using ClipSae.Tensors;
using ClipSae.TestKit.Files;
using ClipSae.TestKit.Pipelines;
using ClipSae.ZeroShotEvaluation.Models;
using ClipSae.ZeroShotEvaluation.Sets;
using ClipSae.ZeroShotEvaluation.Settings;

namespace ClipSae.ZeroShotEvaluation.Tests;

public sealed class ZeroShotEvaluationStageTests : IDisposable
{
    private static readonly string[] Names = ["cat", "dog", "tree"];
    private readonly TemporaryFolder _folder = new();
    private readonly ZeroShotEvaluationStage _stage = new();

    [Fact]
    public async Task The_figures_hold_what_the_command_line_shows()
    {
        var result = await RunAsync();

        var metrics = Metrics(result);
        metrics.Base.Clean.ShouldNotBeNull();
        metrics.Base.HeldOut.AttackSuccess.ShouldNotBeNull();
        metrics.Tuned.ShouldNotBeNull().Name.ShouldBe("penalise.s0");
        metrics.Arms.Select(arm => (arm.Name, arm.Control)).ShouldBe([("penalise", false), ("penalise-random", true)]);
    }

    [Fact]
    public async Task Without_sets_the_tuned_model_is_chosen_by_validation_and_nothing_is_scored()
    {
        var result = await RunAsync(withSets: false);

        Metrics(result).Tuned.ShouldNotBeNull().Name.ShouldBe("penalise.s0");
        Metrics(result).Base.Clean.ShouldBeNull();
        var results = await ResultsAsync(result);
        results.Sets.ShouldBeEmpty();
        results.Arms.Select(arm => arm.Validation).ShouldBe([0.7, 0.6]);
        using var probabilities = SafetensorsFile.Open(await Store.FetchAsync(result.Outputs["probabilities"]));
        probabilities.Entries.ShouldBeEmpty();
    }

    [Fact]
    public async Task Where_no_validation_beats_the_base_nothing_is_the_tuned_model()
    {
        var result = await RunAsync(withSets: false, baseScore: 0.7);

        Metrics(result).Tuned.ShouldBeNull();
        Metrics(result).Arms.Count.ShouldBe(2);
        Metrics(await RunAsync(withSets: false, baseScore: 0.65)).Tuned.ShouldNotBeNull().Name.ShouldBe("penalise.s0");
    }

    [Fact]
    public async Task A_model_is_scored_with_the_null_token_that_belongs_to_it()
    {
        using var plain = SafetensorsFile.Open(await Store.FetchAsync((await RunAsync()).Outputs["probabilities"]));
        using var withToken = SafetensorsFile.Open(await Store.FetchAsync((await RunAsync(withNullToken: true)).Outputs["probabilities"]));

        bool IsChanged(string model) =>
            plain
                .Entries.Keys.Where(name => name.EndsWith(model, StringComparison.Ordinal))
                .Any(name => !plain.Read(name).Equals(withToken.Read(name)));
        IsChanged("/penalise.s0").ShouldBeTrue();
        IsChanged("/base").ShouldBeFalse();
    }

    [Fact]
    public Task Cancelled_it_stops_within_a_batch() => CancelAtFirstReport.ShouldStopAsync(cancelling => RunAsync(cancelling: cancelling));

    [Fact]
    public void Texts_and_probes_stop_too()
    {
        using var scope = TorchSharp.torch.NewDisposeScope();
        using var model = ClipModel.Load(SmallClip.Write(_folder.File("m"), 1));
        var tokenizer = ClipTokenizer.Load(SmallClip.WriteVocabulary(_folder.File("v")));
        var stopped = new CancellationToken(canceled: true);

        Should.Throw<OperationCanceledException>(() =>
            TextEmbedder.Embed(model, tokenizer, new TextRequest(Names, ["a {}"], MayCut: false), TorchSharp.torch.CPU, stopped)
        );
        Should.Throw<OperationCanceledException>(() =>
            LinearProbe.Ask(TorchSharp.torch.rand(12, 4), [0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2], new ProbeOptions(), 1, stopped)
        );
    }

    [Fact]
    public async Task Rows_that_the_import_left_out_are_counted_and_named_too()
    {
        var clean = (await ResultsAsync(await RunAsync())).Sets.Single(set => set.Name == "clean");

        (clean.Images, clean.Total).ShouldBe((6, 7));
        clean.Problems.ShouldBe([new EvaluationProblem("labels.csv:4", "duplicate: 0.png again")]);
    }

    [Fact]
    public async Task Equal_inputs_give_equal_artifacts()
    {
        var first = await RunAsync();
        var second = await RunAsync();

        second.Outputs.ShouldBe(first.Outputs, ignoreOrder: true);
        second.Metrics.ToJsonString().ShouldBe(first.Metrics.ToJsonString());
    }

    [Fact]
    public async Task A_second_evaluation_takes_the_texts_of_the_first_and_gives_the_same()
    {
        var results = new CountingResults(new StageResults(new FolderObjectStore(_folder.File("results"))));
        var first = await RunAsync(results);
        results.Saved.ShouldBe(3);

        var second = await RunAsync(results);

        results.Saved.ShouldBe(3);
        second.Outputs.ShouldBe(first.Outputs, ignoreOrder: true);
        (await RunAsync()).Outputs.ShouldBe(first.Outputs, ignoreOrder: true);
    }

    [Fact]
    public async Task Probabilities_of_base_and_tuned_are_kept_for_every_image()
    {
        var result = await RunAsync();

        using var file = SafetensorsFile.Open(await Store.FetchAsync(result.Outputs["probabilities"]));
        file.Entries.Keys.ShouldBe(
            ["attacked-heldout/base", "attacked-heldout/penalise.s0", "clean/base", "clean/penalise.s0"],
            ignoreOrder: true
        );
        file.Entries["attacked-heldout/base"].Shape.ShouldBe([6, 4]);
        JsonNode.Parse(file.Metadata["attacked-heldout/candidates"])!.AsArray().Count.ShouldBe(4);
    }

    [Theory]
    [InlineData("""{"promptTemplates":["a photo"]}""", "evaluation.promptTemplates")]
    [InlineData("""{"resamples":10}""", "evaluation.resamples")]
    [InlineData("""{"classes":["cat"]}""", "evaluation.classes")]
    [InlineData("""{"probe":{"trainShare":1}}""", "evaluation.probe.trainShare")]
    [InlineData("""{"calibrationBins":0}""", "evaluation.calibrationBins")]
    [InlineData("""{"promptTemlates":["a {}"]}""", "promptTemplates")]
    public void An_impossible_parameter_is_named(string parameters, string key) =>
        Should.Throw<UserErrorException>(() => _stage.Normalize(JsonNode.Parse(parameters)!.AsObject())).Message.ShouldContain(key);

    public void Dispose() => _folder.Dispose();

    private FolderArtifactStore Store => new(_folder.File("store"));

    private async Task<StageResult> RunAsync(
        IStageResults? results = null,
        bool withSets = true,
        CancelAtFirstReport? cancelling = null,
        double baseScore = 0,
        bool withNullToken = false
    )
    {
        Directory.CreateDirectory(_folder.File("scratch"));
        var inputs = new Dictionary<string, ArtifactRef>
        {
            ["base"] = await PutAsync(SmallClip.Write(_folder.File("b"), 1)),
            ["tokenizer"] = await PutAsync(SmallClip.WriteVocabulary(_folder.File("v"))),
            ["models/penalise.s0"] = await PutAsync(SmallClip.Write(_folder.File("p"), 2)),
            ["models/penalise-random.s0"] = await PutAsync(SmallClip.Write(_folder.File("r"), 3)),
            ["curves/penalise.s0"] = await CurvesAsync(0.7, baseScore),
            ["curves/penalise-random.s0"] = await CurvesAsync(0.6, baseScore),
            ["evaluation/clean/shards/00000"] = await PutAsync(Shards.Write(_folder.File("c"), Items(null))),
            ["evaluation/clean/manifest"] = await Store.PutBytesAsync(
                new DatasetManifest(
                    DatasetManifest.CurrentFormat,
                    "clean",
                    7,
                    [],
                    new Dictionary<string, int>(),
                    new Dictionary<string, int>(),
                    [new ImportProblem(ImportProblemKind.Duplicate, "labels.csv:4", "0.png again")],
                    []
                ).Serialize(),
                "manifest",
                DatasetManifest.MediaType
            ),
            ["evaluation/attacked-heldout/shards/00000"] = await PutAsync(Shards.Write(_folder.File("a"), Items("taxi"))),
        };
        if (withNullToken)
        {
            using var token = new NullToken(0, TorchSharp.torch.ones(64));
            token.Save(_folder.File("null_token.safetensors"));
            inputs["null-tokens/penalise.s0"] = await PutAsync(_folder.File("null_token.safetensors"));
        }

        foreach (var set in inputs.Keys.Where(name => !withSets && name.StartsWith("evaluation/", StringComparison.Ordinal)))
        {
            inputs.Remove(set);
        }

        return await _stage.RunAsync(
            new StageContext
            {
                Stage = _stage.Name,
                Parameters = _stage.Normalize([]),
                Inputs = inputs,
                Artifacts = Store,
                Progress = cancelling as IProgress<StageProgress> ?? new Progress<StageProgress>(),
                Scratch = _folder.File("scratch"),
                Results = results,
            },
            cancelling?.Token ?? CancellationToken.None
        );
    }

    private static IEnumerable<(string Id, string? Label, string? Word, byte[] Image)> Items(string? word) =>
        Enumerable.Range(0, 6).Select(i => ($"{i}.png", (string?)Names[i % 3], word, Shards.Noise(i)));

    /// <summary>Counts what is kept.</summary>
    private sealed class CountingResults(IStageResults inner) : IStageResults
    {
        public int Saved { get; private set; }

        public Task<StoredResult?> FindAsync(string key, CancellationToken cancel = default) => inner.FindAsync(key, cancel);

        public Task SaveAsync(string key, StoredResult result, CancellationToken cancel = default)
        {
            Saved++;
            return inner.SaveAsync(key, result, cancel);
        }

        public Task<string?> LastKeyAsync(string stage, string unit, CancellationToken cancel = default) =>
            inner.LastKeyAsync(stage, unit, cancel);

        public Task RememberKeyAsync(string stage, string unit, string key, CancellationToken cancel = default) =>
            inner.RememberKeyAsync(stage, unit, key, cancel);
    }

    private static EvaluationMetrics Metrics(StageResult result) => ResultFormats.EvaluationMetrics.Read(result.Metrics, "figures");

    private Task<EvaluationResults> ResultsAsync(StageResult result) =>
        ResultFormats.Evaluation.ReadAsync(result.Outputs["results"], Store.FetchAsync, CancellationToken.None);

    private Task<ArtifactRef> PutAsync(string path) => Store.PutFileAsync(path, Path.GetFileName(path), "application/octet-stream");

    private Task<ArtifactRef> CurvesAsync(double score, double baseScore)
    {
        var best = new TuningValidation(1, 0.9, score, score);
        var history = new TrainingHistory([], [new TuningValidation(0, 0.9, baseScore, baseScore), best], [], [], [], 1, null, best);
        return Store.PutBytesAsync(
            ResultFormats.Curves.Write(new TuningCurves(history, "penalise", 0)),
            "curves",
            ResultFormats.Curves.MediaType
        );
    }
}
