using ClipSae.Clip.Architecture;
using ClipSae.Clip.Checkpoints;
using ClipSae.Tensors;
using ClipSae.TestKit.Commands;
using ClipSae.TestKit.Files;
using ClipSae.WeightConversion.Targets;
using TorchSharp;

namespace ClipSae.EndToEnd;

/// <summary>
/// A CLIP as open_clip keeps it, with GELU, heads that are not 64 wide and MLPs that are not 4 times as wide, goes the whole way.
/// </summary>
public sealed class OtherClipTests : IDisposable
{
    private const string Weights = "open_clip_model.safetensors";
    private const string Vocabulary = "bpe_simple_vocab_16e6.txt.gz";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task It_is_trained_converted_and_scored_as_what_it_is()
    {
        var architecture = Model();
        await _folder.DrawWorldAsync(160, 40);
        string[] common =
        [
            .. _folder.Inputs(),
            .. WholeRun.Set(
                "extraction.tokensPerImage=8",
                "sae.epochs=1",
                "sae.batchSize=256",
                "curation.pairs=32",
                "curation.randomDraws=1"
            ),
        ];
        var sets = _folder.CleanSet();
        var run = await WholeRun.SucceedAsync([
            "run",
            .. common,
            .. sets,
            "--arms",
            "penalise",
            "--seeds",
            "1",
            .. WholeRun.Set([
                .. WholeRun.Smallest,
                "extraction.hookPoints=mlp@0",
                "conversion.formats=openai,huggingface,open-clip,gmp,onnx",
            ]),
        ]);
        var written = await StoredOutputs.OfLatestAsync(_folder, "weight-conversion");
        var files = _folder.FetchFiles(written);
        files.Count(File.Exists).ShouldBeGreaterThan(5);
        foreach (
            var path in new[]
            {
                StoredOutputs.Fetch(_folder, await StoredOutputs.OfLatestAsync(_folder, "fine-tuning"), "model", "tuned.safetensors"),
                StoredOutputs.Fetch(_folder, written, "model", "openai.safetensors"),
                _folder.File("huggingface"),
                _folder.File("open_clip"),
                _folder.File("gmp.safetensors"),
            }
        )
        {
            using var checkpoint = ClipCheckpoint.Open(path);
            (checkpoint.Architecture, checkpoint.IsActivationAssumed).ShouldBe((architecture, false), path);
        }

        // What a run scores is what the model computes as described, and not what its bare weights compute as OpenAI's.
        File.Copy(_folder.File("model", Weights), _folder.File("bare.safetensors"));
        var scored = await WholeRun.SucceedAsync([
            "evaluate",
            "--model",
            $"base={_folder.File("model")}",
            "--model",
            $"tuned={_folder.File("huggingface")}",
            "--model",
            $"bare={_folder.File("bare.safetensors")}",
            .. sets,
            "--tokenizer",
            _folder.File("model", Vocabulary),
            .. _folder.Places(),
        ]);
        scored.Error.ShouldContain("nothing says which activation it was trained with");
        var apart = await _folder.ShouldScoreAsTheRunAsync(scored.Json);
        Math.Abs(apart["bare"] - apart["base"]).ShouldBeGreaterThan(1e-5);

        // The same arm as a LoRA: what PEFT would load on the base is the model that the run goes on with.
        var adapted = await WholeRun.SucceedAsync([
            "replay",
            "latest",
            "--from",
            "tuning",
            .. WholeRun.Set("tuning.adapter.kind=lora", "tuning.adapter.rank=2"),
            .. _folder.Places(),
        ]);
        var ofAdapter = await StoredOutputs.OfLatestAsync(_folder, "weight-conversion");
        foreach (var name in new[] { "peft/adapter_model.safetensors", "peft/adapter_config.json" })
        {
            StoredOutputs.Fetch(_folder, ofAdapter, "files/" + name, name);
        }

        (
            await Command.RunAsync([
                "convert",
                _folder.File("model"),
                _folder.File("merged"),
                "--adapter",
                _folder.File("peft"),
                "--to",
                "openai",
                "--json",
            ])
        ).Code.ShouldBe(0);
        using (var tuned = ClipCheckpoint.Open(StoredOutputs.Fetch(_folder, ofAdapter, "model", "lora.safetensors")))
        using (var merged = ClipCheckpoint.Open(_folder.File("merged", "openai.safetensors")))
        using (torch.NewDisposeScope())
        {
            tuned.Keys.Max(key => (tuned.Read(key) - merged.Read(key)).abs().max().item<float>()).ShouldBeLessThan(1e-6f);
        }

        var sweep = await WholeRun.SucceedAsync([
            "sweep",
            .. common,
            "--hooks",
            "mlp@1",
            "--variants",
            "topk",
            "--expansions",
            "1",
            "--k",
            "8",
        ]);
        sweep.Json["autoencoders"]!.AsArray().Count.ShouldBe(1);
    }

    /// <summary>
    /// The demo's model, said to be another one: its pictures are told apart all the same, but no figure is that of the demo.
    /// </summary>
    private ClipArchitecture Model()
    {
        using var scope = torch.NewDisposeScope();
        var folder = Directory.CreateDirectory(_folder.File("model")).FullName;
        using var demo = ClipCheckpoint.Open(Path.Combine(AppContext.BaseDirectory, "Demo", "model.safetensors"));
        var weights = demo.Keys.ToDictionary(key => key, key => Narrowed(key, demo.Read(key)), StringComparer.Ordinal);
        var architecture = demo.Architecture with
        {
            Activation = MlpActivation.Gelu,
            VisionHeads = 4,
            TextHeads = 1,
            VisionNeurons = 480,
            TextNeurons = 448,
        };
        SafetensorsWriter.Write(Path.Combine(folder, Weights), weights);
        File.WriteAllText(Path.Combine(folder, OpenClipTarget.DescriptionName), OpenClipTarget.Describe(architecture));
        File.Copy(Path.Combine(AppContext.BaseDirectory, "Demo", "bpe.txt.gz"), Path.Combine(folder, Vocabulary));
        return architecture;

        torch.Tensor Narrowed(string key, torch.Tensor weight)
        {
            var neurons = key.StartsWith("visual.", StringComparison.Ordinal) ? 480 : 448;
            return key.Contains(".mlp.c_fc.", StringComparison.Ordinal) ? weight.narrow(0, 0, neurons)
                : key.EndsWith(".mlp.c_proj.weight", StringComparison.Ordinal) ? weight.narrow(1, 0, neurons).contiguous()
                : weight;
        }
    }
}
