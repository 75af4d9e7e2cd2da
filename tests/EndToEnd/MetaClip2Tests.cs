using System.Text.Json.Nodes;
using ClipSae.Clip.Architecture;
using ClipSae.Clip.Checkpoints;
using ClipSae.TestKit.Commands;
using ClipSae.TestKit.Files;

namespace ClipSae.EndToEnd;

/// <summary>
/// A MetaCLIP 2 as transformers keeps it, with a vocabulary of its kind, goes the whole way. Its weights are random: what it names is of no
/// account.
/// </summary>
public sealed class MetaClip2Tests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task It_is_trained_swept_converted_and_scored_as_what_it_is()
    {
        var architecture = Model();
        (
            await Command.RunAsync(["make-dataset", _folder.File("world"), "--train", "0", "--tuning", "96", "--evaluation", "24"])
        ).Code.ShouldBe(0);
        string[] all = ["--data", _folder.File("data"), "--threads", "1", "--json"];
        string[] common = ["--dataset", _folder.File("world", "tuning"), "--model", _folder.File("model"), "--preset", "demo", .. all];
        string[] sets = ["--evaluation", $"clean={_folder.File("world", "evaluation", "clean")}", "--set", "evaluation.resamples=1000"];

        // What it has not is told at once.
        var refused = await Command.RunAsync(["run", .. common, .. sets, "--set", "conversion.formats=openai,text-encoder"]);
        refused.Code.ShouldBe(2, refused.Error);
        refused.Error.ShouldContain("a MetaCLIP 2 has no format text-encoder; it has openai, huggingface, open-clip, onnx, gmp, peft");

        var run = await Command.RunAsync([
            "run",
            .. common,
            .. sets,
            "--seeds",
            "1",
            "--arms",
            "penalise",
            "--set",
            "extraction.hookPoints=mlp@0,text.residual@1",
            "--set",
            "sae.epochs=1",
            "--set",
            "sae.expansion=1",
            "--set",
            "curation.pairs=32",
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
            "--set",
            "conversion.formats=openai,huggingface,open-clip",
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
        files.Select(Path.GetFileName).ShouldContain("sentencepiece.bpe.model");
        foreach (
            var path in new[]
            {
                StoredOutputs.Fetch(_folder, await StoredOutputs.OfLatestAsync(_folder, "fine-tuning"), "model", "tuned.safetensors"),
                StoredOutputs.Fetch(_folder, written, "model", "plain.safetensors"),
                _folder.File("huggingface"),
                _folder.File("open_clip"),
            }
        )
        {
            using var checkpoint = ClipCheckpoint.Open(path);
            (checkpoint.Architecture, checkpoint.IsActivationAssumed).ShouldBe((architecture, false), path);
        }

        // What a run scores is what the folder that it wrote computes.
        var scored = await Command.RunAsync([
            "evaluate",
            "--model",
            $"base={_folder.File("model")}",
            "--model",
            $"tuned={_folder.File("huggingface")}",
            .. sets,
            .. all,
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

        var sweep = await Command.RunAsync([
            "sweep",
            .. common,
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
        ]);
        sweep.Code.ShouldBe(0, sweep.Error);
        sweep.Json["autoencoders"]!.AsArray().Count.ShouldBe(1);

        var converted = await Command.RunAsync([
            "convert",
            _folder.File("huggingface"),
            _folder.File("again"),
            "--to",
            "onnx",
            "gmp",
            "--json",
        ]);
        converted.Code.ShouldBe(0, converted.Error);
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
            File.Copy(Path.Combine(reference, "metaclip_2", name), Path.Combine(folder, name));
        }

        File.Copy(Path.Combine(reference, "xlm.model"), Path.Combine(folder, "sentencepiece.bpe.model"));
        using var checkpoint = ClipCheckpoint.Open(folder);
        return checkpoint.Architecture;
    }
}
