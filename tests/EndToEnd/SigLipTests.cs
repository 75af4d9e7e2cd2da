using System.Text.Json.Nodes;
using ClipSae.Clip.Architecture;
using ClipSae.Clip.Checkpoints;
using ClipSae.TestKit.Commands;
using ClipSae.TestKit.Files;

namespace ClipSae.EndToEnd;

/// <summary>
/// A SigLIP as transformers keeps it, with a vocabulary of its kind, goes the whole way. Its weights are random: what it names is of no
/// account.
/// </summary>
public sealed class SigLipTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task It_is_trained_converted_and_scored_as_what_it_is()
    {
        var architecture = Model();
        (
            await Command.RunAsync(["make-dataset", _folder.File("world"), "--train", "0", "--tuning", "96", "--evaluation", "24"])
        ).Code.ShouldBe(0);
        string[] common =
        [
            "run",
            "--dataset",
            _folder.File("world", "tuning"),
            "--model",
            _folder.File("model"),
            "--preset",
            "demo",
            "--data",
            _folder.File("data"),
            "--threads",
            "1",
            "--json",
            "--seeds",
            "1",
            "--set",
            "sae.epochs=1",
            "--set",
            "sae.expansion=1",
            "--set",
            "curation.randomDraws=1",
            "--set",
            "curation.attacks=32",
            "--set",
            "curation.naturalImages=4",
            "--set",
            "tuning.steps=4",
            "--set",
            "tuning.cleanBatch=16",
            "--set",
            "tuning.attackBatch=16",
            "--set",
            "tuning.validationInterval=4",
        ];
        string[] sets = ["--evaluation", $"clean={_folder.File("world", "evaluation", "clean")}", "--set", "evaluation.resamples=1000"];

        // What it has not is told at once.
        foreach (
            var (arguments, told) in new (string[], string)[]
            {
                (
                    ["--set", "extraction.hookPoints=cls@1"],
                    "the vision tower of a SigLIP has no class token; use residual@1, mlp@1 or image-embedding"
                ),
                (["--arms", "heads"], "'heads' looks for attention heads by what the class token looks at"),
                (["--set", "tuning.loss=compat"], "tuning.loss: compat is made for the softmax"),
                (["--set", "conversion.formats=huggingface,onnx"], "a SigLIP has no format onnx; it has huggingface, gmp, peft"),
            }
        )
        {
            var refused = await Command.RunAsync([.. common, .. sets, .. arguments]);
            refused.Code.ShouldBe(2, refused.Error);
            refused.Error.ShouldContain(told);
        }

        var run = await Command.RunAsync([
            .. common,
            .. sets,
            "--arms",
            "penalise",
            "--set",
            "extraction.hookPoints=mlp@0,residual@1,image-embedding,text.residual@1",
            "--set",
            "curation.pairs=32",
            "--set",
            "conversion.formats=openai,gmp",
        ]);
        run.Code.ShouldBe(0, run.Error);
        var written = await StoredOutputs.OfLatestAsync(_folder, "weight-conversion");
        string[] files =
        [
            .. written
                .Select(output => output.Key)
                .Where(name => name.StartsWith("files/", StringComparison.Ordinal))
                .Select(name => StoredOutputs.Fetch(_folder, written, name, name["files/".Length..])),
        ];
        files.Select(Path.GetFileName).ShouldContain("spiece.model");
        foreach (
            var path in new[]
            {
                StoredOutputs.Fetch(_folder, await StoredOutputs.OfLatestAsync(_folder, "fine-tuning"), "model", "tuned.safetensors"),
                StoredOutputs.Fetch(_folder, written, "model", "plain.safetensors"),
                _folder.File("huggingface"),
                _folder.File("gmp.safetensors"),
            }
        )
        {
            using var checkpoint = ClipCheckpoint.Open(path);
            checkpoint.Architecture.ShouldBe(architecture, path);
        }

        // What a run scores is what the folder that it wrote computes.
        var scored = await Command.RunAsync([
            "evaluate",
            "--model",
            $"base={_folder.File("model")}",
            "--model",
            $"tuned={_folder.File("huggingface")}",
            .. sets,
            "--data",
            _folder.File("data"),
            "--threads",
            "1",
            "--json",
        ]);
        scored.Code.ShouldBe(0, scored.Error);
        var apart = Calibration(scored.Json);
        var together = Calibration(
            JsonNode.Parse(
                File.ReadAllText(
                    StoredOutputs.Fetch(
                        _folder,
                        await StoredOutputs.OfLatestAsync(_folder, "zero-shot-evaluation"),
                        "results",
                        "results.json"
                    )
                )
            )!
        );
        together["base"].ShouldBe(apart["base"], 1e-6);
        together["penalise.s0"].ShouldBe(apart["tuned"], 1e-6);
    }

    [Fact]
    public async Task It_is_mixed_with_its_base_and_its_features_are_pages()
    {
        Model();
        (
            await Command.RunAsync(["make-dataset", _folder.File("world"), "--train", "0", "--tuning", "96", "--evaluation", "16"])
        ).Code.ShouldBe(0);
        string[] common = ["--data", _folder.File("data"), "--threads", "1", "--json"];
        var tuned = Directory.CreateDirectory(_folder.File("tuned")).FullName;
        foreach (var path in Directory.EnumerateFiles(_folder.File("model")))
        {
            File.Copy(path, Path.Combine(tuned, Path.GetFileName(path)));
        }

        var swept = await Command.RunAsync([
            "wise-ft",
            _folder.File("model"),
            tuned,
            _folder.File("swept"),
            "--alpha",
            "0.5",
            "--validation",
            $"clean={_folder.File("world", "evaluation", "clean")}",
            "--validation",
            $"attacked={_folder.File("world", "evaluation", "attacked")}",
            "--set",
            "evaluation.resamples=1000",
            .. common,
        ]);
        swept.Code.ShouldBe(0, swept.Error);
        using (var chosen = ClipCheckpoint.Open(_folder.File("swept", "huggingface")))
        {
            chosen.Architecture.Family.ShouldBe(ClipFamily.SigLip);
        }

        var sweep = await Command.RunAsync([
            "sweep",
            "--dataset",
            _folder.File("world", "tuning"),
            "--model",
            _folder.File("model"),
            "--preset",
            "demo",
            "--hooks",
            "text.mlp@0",
            "--variants",
            "topk",
            "--expansions",
            "1",
            "--k",
            "4",
            "--set",
            "sae.epochs=2",
            "--set",
            "sae.batchSize=64",
            .. common,
        ]);
        sweep.Code.ShouldBe(0, sweep.Error);
        var atlas = await Command.RunAsync(["atlas", "latest", "--out", _folder.File("atlas"), "--features", "5", .. common]);
        atlas.Code.ShouldBe(0, atlas.Error);
        Directory
            .EnumerateFiles(_folder.File("atlas"), "*.html", SearchOption.AllDirectories)
            .Count(path => File.ReadAllText(path).Contains("Captions it fires on", StringComparison.Ordinal))
            .ShouldBeGreaterThan(0);
    }

    private static Dictionary<string, double> Calibration(JsonNode scores) =>
        scores["models"]!
            .AsArray()
            .ToDictionary(
                model => model!["name"]!.GetValue<string>(),
                model => model!["sets"]!["clean"]!["calibration"]!["expectedError"]!["value"]!.GetValue<double>()
            );

    private ClipArchitecture Model()
    {
        var (folder, reference) = (
            Directory.CreateDirectory(_folder.File("model")).FullName,
            Path.Combine(AppContext.BaseDirectory, "Reference")
        );
        foreach (var name in new[] { "config.json", "model.safetensors" })
        {
            File.Copy(Path.Combine(reference, "siglip", name), Path.Combine(folder, name));
        }

        File.Copy(Path.Combine(reference, "siglip.model"), Path.Combine(folder, "spiece.model"));
        using var checkpoint = ClipCheckpoint.Open(folder);
        return checkpoint.Architecture;
    }
}
