using System.Text.Json.Nodes;
using ClipSae.Clip.Model;
using ClipSae.Clip.Tokenizers;
using ClipSae.Tensors;
using ClipSae.Tensors.Files;
using ClipSae.TestKit.Commands;
using ClipSae.TestKit.Files;
using TorchSharp;

namespace ClipSae.EndToEnd;

/// <summary>
/// The demo's base with a context of 77 tokens, stretched to 248, through the whole pipeline on captions that are longer than the rows
/// which stay.
/// </summary>
public sealed class LongClipTests : IDisposable
{
    private const string Positions = "positional_embedding";
    private const string Stretched = "positional_embedding_res";
    private const string Ending = " on a plain plate in soft light, as somebody drew it on a quiet morning";
    private const int Kept = 20;

    private static readonly string Demo = Path.Combine(AppContext.BaseDirectory, "Demo");
    private static readonly string Vocabulary = Path.Combine(Demo, "bpe.txt.gz");

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Both_embeddings_are_trained_and_arrive_in_every_format()
    {
        WriteBase();
        (await Command.RunAsync(["stretch", _folder.File("base.safetensors"), _folder.File("long.safetensors"), "--json"])).Json["context"]!
            .GetValue<int>()
            .ShouldBe(248);
        await _folder.DrawWorldAsync(160, 24);
        LengthenCaptions(_folder.File("world", "tuning", "captions.json"));

        var run = await WholeRun.SucceedAsync([
            "run",
            "--dataset",
            _folder.File("world", "tuning"),
            "--model",
            _folder.File("long.safetensors"),
            "--tokenizer",
            Vocabulary,
            "--preset",
            "demo",
            .. _folder.Places(),
            "--evaluation",
            $"clean={_folder.File("world", "evaluation", "clean")}",
            "--evaluation",
            $"attacked={_folder.File("world", "evaluation", "attacked")}",
            "--arms",
            "none",
            "--seeds",
            "1",
            .. WholeRun.Set(
                "extraction.hookPoints=mlp@0",
                "extraction.tokensPerImage=8",
                "sae.expansion=2",
                "sae.epochs=2",
                "sae.batchSize=256",
                "curation.pairs=48",
                "curation.attacks=32",
                "curation.naturalImages=4",
                "curation.randomDraws=1",
                "tuning.steps=4",
                "tuning.cleanBatch=16",
                "tuning.attackBatch=16",
                "tuning.validationInterval=2",
                "evaluation.resamples=1000",
                "conversion.formats=openai,openai-pt,huggingface,text-encoder,open-clip,onnx,gmp,long-clip"
            ),
        ]);
        run.Json["tuned"]!["clean"]!.GetValue<double>().ShouldBeGreaterThan(0.5);
        var tuned = StoredOutputs.Fetch(_folder, await StoredOutputs.OfLatestAsync(_folder, "fine-tuning"), "model", "tuned.safetensors");
        AssertTrained(tuned);
        AssertArrived(tuned, await StoredOutputs.OfLatestAsync(_folder, "weight-conversion"));
    }

    // The demo's base reads 16 tokens; what stands behind them changes nothing for shorter texts.
    private void WriteBase()
    {
        using var file = SafetensorsFile.Open(Path.Combine(Demo, "model.safetensors"));
        var weights = file.Entries.Keys.ToDictionary(key => key, file.Read);
        var given = weights[Positions];
        var more = torch.randn([77 - given.shape[0], given.shape[1]], generator: new torch.Generator(1));
        weights[Positions] = torch.cat([given, more.Times(0.01)]);
        SafetensorsWriter.Write(_folder.File("base.safetensors"), weights);
    }

    private static void LengthenCaptions(string path)
    {
        var captions = JsonNode.Parse(File.ReadAllText(path))!.AsObject();
        var longer = captions.Select(image =>
            KeyValuePair.Create(
                image.Key,
                (JsonNode?)new JsonArray([.. image.Value!.AsArray().Select(caption => (JsonNode)(caption!.GetValue<string>() + Ending))])
            )
        );
        File.WriteAllText(path, new JsonObject(longer).ToJsonString());
    }

    // Rows that the captions reach and the model uses have moved, all others are as they were.
    private void AssertTrained(string tuned)
    {
        var tokens = ClipTokenizer.Load(Vocabulary).Encode("a photo of a cat" + Ending, 248, out _).Count(token => token != 0);
        tokens.ShouldBeGreaterThan(Kept + 10);
        MovedRows(Positions).ShouldBe(Enumerable.Range(0, Kept));
        MovedRows(Stretched).Take(tokens - Kept).ShouldBe(Enumerable.Range(Kept, tokens - Kept));
        MovedRows(Stretched).Max().ShouldBeLessThan(77);

        List<int> MovedRows(string key)
        {
            var moved = Read(tuned, key).ne(Read(_folder.File("long.safetensors"), key)).any(1).data<bool>().ToArray();
            return [.. Enumerable.Range(0, moved.Length).Where(row => moved[row])];
        }
    }

    private void AssertArrived(string tuned, JsonObject outputs)
    {
        var (kept, stretched) = (Read(tuned, Positions), Read(tuned, Stretched));
        var merged = torch.cat([kept[..Kept], stretched[Kept..]]);
        string[] written =
        [
            .. outputs.Select(output => output.Key).Where(name => name.StartsWith("files/", StringComparison.Ordinal)),
            "model",
        ];
        var files = written.ToDictionary(
            name => name,
            name => StoredOutputs.Fetch(_folder, outputs, name, name == "model" ? "openai.safetensors" : name["files/".Length..])
        );
        foreach (var name in new[] { "files/gmp.safetensors", "files/longclip.pt" })
        {
            Same(Read(files[name], Positions), kept).ShouldBeTrue(name);
            Same(Read(files[name], Stretched), stretched).ShouldBeTrue(name);
        }

        foreach (
            var (name, key) in new[]
            {
                ("model", Positions),
                ("files/openai.pt", Positions),
                ("files/open_clip/open_clip_model.safetensors", Positions),
                ("files/huggingface/model.safetensors", "text_model.embeddings.position_embedding.weight"),
                ("files/text_encoder.safetensors", "text_model.embeddings.position_embedding.weight"),
            }
        )
        {
            Same(Read(files[name], key), merged).ShouldBeTrue(name);
        }

        // Run again from each file, ONNX among them, the conversion found the tuned model's features.
        var proofs = JsonNode.Parse(File.ReadAllText(StoredOutputs.Fetch(_folder, outputs, "proof", "proof.json")))!["formats"]!.AsObject();
        proofs.Count.ShouldBe(9);
        proofs.ShouldAllBe(proof =>
            proof.Value!["text"]!["maxRelative"]!.GetValue<double>() <= 1e-4
            && proof.Value!["image"]!["maxRelative"]!.GetValue<double>() <= 1e-4
        );
        using var inference = torch.no_grad();
        var expected = LongText(tuned);
        foreach (var path in new[] { "openai.safetensors", "openai.pt", "huggingface", "open_clip", "gmp.safetensors", "longclip.pt" })
        {
            ((LongText(_folder.File(path)) - expected).abs().max() / expected.abs().max()).item<float>().ShouldBeLessThan(1e-5f, path);
        }
    }

    private static torch.Tensor LongText(string path)
    {
        using var model = ClipModel.Load(path);
        return model.EncodeText(torch.tensor(ClipTokenizer.Load(Vocabulary).Encode("a photo of a cat" + Ending, 248, out _)).unsqueeze(0));
    }

    private static bool Same(torch.Tensor a, torch.Tensor b) => a.eq(b).all().item<bool>();

    private static torch.Tensor Read(string path, string key)
    {
        using var file = TensorFiles.Open(path);
        return file.Read(key);
    }
}
