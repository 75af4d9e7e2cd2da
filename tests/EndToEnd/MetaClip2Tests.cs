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
        await _folder.DrawWorldAsync(96, 24);
        var all = _folder.Places();
        var common = _folder.Inputs();
        var sets = _folder.CleanSet();

        // What it has not is told at once.
        var refused = await Command.RunAsync(["run", .. common, .. sets, "--set", "conversion.formats=openai,text-encoder"]);
        refused.Code.ShouldBe(2, refused.Error);
        refused.Error.ShouldContain("a MetaCLIP 2 has no format text-encoder; it has openai, huggingface, open-clip, onnx, gmp, peft");

        var run = await WholeRun.SucceedAsync([
            "run",
            .. common,
            .. sets,
            "--seeds",
            "1",
            "--arms",
            "penalise",
            .. WholeRun.Set([
                .. WholeRun.Smallest,
                "extraction.hookPoints=mlp@0,text.residual@1",
                "sae.epochs=1",
                "curation.pairs=32",
                "curation.randomDraws=1",
                "conversion.formats=openai,huggingface,open-clip",
            ]),
        ]);
        var written = await StoredOutputs.OfLatestAsync(_folder, "weight-conversion");
        var files = _folder.FetchFiles(written);
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
        var scored = await WholeRun.SucceedAsync([
            "evaluate",
            "--model",
            $"base={_folder.File("model")}",
            "--model",
            $"tuned={_folder.File("huggingface")}",
            .. sets,
            .. all,
        ]);
        await _folder.ShouldScoreAsTheRunAsync(scored.Json);

        var sweep = await WholeRun.SucceedAsync([
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
            .. WholeRun.Set("sae.epochs=2", "sae.batchSize=64"),
        ]);
        sweep.Json["autoencoders"]!.AsArray().Count.ShouldBe(1);

        var converted = await WholeRun.SucceedAsync([
            "convert",
            _folder.File("huggingface"),
            _folder.File("again"),
            "--to",
            "onnx",
            "gmp",
            "--json",
        ]);
    }

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
