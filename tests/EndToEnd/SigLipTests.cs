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
        await _folder.DrawWorldAsync(96, 24);
        string[] common =
        [
            "run",
            .. _folder.Inputs(),
            "--seeds",
            "1",
            .. WholeRun.Set([.. WholeRun.Smallest, "sae.epochs=1", "curation.randomDraws=1"]),
        ];
        var sets = _folder.CleanSet();

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

        var run = await WholeRun.SucceedAsync([
            .. common,
            .. sets,
            "--arms",
            "penalise",
            .. WholeRun.Set(
                "extraction.hookPoints=mlp@0,residual@1,image-embedding,text.residual@1",
                "curation.pairs=32",
                "conversion.formats=openai,gmp"
            ),
        ]);
        var written = await StoredOutputs.OfLatestAsync(_folder, "weight-conversion");
        var files = _folder.FetchFiles(written);
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
        var scored = await WholeRun.SucceedAsync([
            "evaluate",
            "--model",
            $"base={_folder.File("model")}",
            "--model",
            $"tuned={_folder.File("huggingface")}",
            .. sets,
            .. _folder.Places(),
        ]);
        await _folder.ShouldScoreAsTheRunAsync(scored.Json);
    }

    [Fact]
    public async Task It_is_mixed_with_its_base_and_its_features_are_pages()
    {
        Model();
        await _folder.DrawWorldAsync(96, 16);
        var common = _folder.Places();
        var tuned = Directory.CreateDirectory(_folder.File("tuned")).FullName;
        foreach (var path in Directory.EnumerateFiles(_folder.File("model")))
        {
            File.Copy(path, Path.Combine(tuned, Path.GetFileName(path)));
        }

        var swept = await WholeRun.SucceedAsync([
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
        using (var chosen = ClipCheckpoint.Open(_folder.File("swept", "huggingface")))
        {
            chosen.Architecture.Family.ShouldBe(ClipFamily.SigLip);
        }

        var sweep = await WholeRun.SucceedAsync([
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
            .. WholeRun.Set("sae.epochs=2", "sae.batchSize=64"),
            .. common,
        ]);
        var atlas = await WholeRun.SucceedAsync(["atlas", "latest", "--out", _folder.File("atlas"), "--features", "5", .. common]);
        Directory
            .EnumerateFiles(_folder.File("atlas"), "*.html", SearchOption.AllDirectories)
            .Count(path => File.ReadAllText(path).Contains("Captions it fires on", StringComparison.Ordinal))
            .ShouldBeGreaterThan(0);
    }

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
