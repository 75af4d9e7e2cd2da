using System.Text.Json.Nodes;
using ClipSae.Clip.Architecture;
using ClipSae.Clip.Checkpoints;
using ClipSae.Clip.Model;
using ClipSae.Tensors;
using ClipSae.TestKit.Files;
using ClipSae.WeightConversion.Weights;
using TorchSharp;

namespace ClipSae.WeightConversion.Tests;

/// <summary>
/// Adapters in PEFT's format, out of what was tuned and into a base (names and scale by peft's own source, tuners/lora/layer.py and
/// utils/save_and_load.py).
/// </summary>
public sealed class PeftTests : IDisposable
{
    private static readonly string[] Modules =
    [
        "self_attn.q_proj",
        "self_attn.k_proj",
        "self_attn.v_proj",
        "self_attn.out_proj",
        "mlp.fc1",
        "mlp.fc2",
    ];
    private readonly TemporaryFolder _folder = new();
    private readonly DisposeScope _scope = torch.NewDisposeScope();

    public void Dispose()
    {
        _scope.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData("gelu", "CLIPModel")]
    [InlineData("siglip", "SiglipModel")]
    [InlineData("metaclip_2", "MetaClip2Model")]
    public void What_an_adapter_changed_is_written_and_read_back_as_the_tuned_model(string name, string mapped)
    {
        var source = Tuned(name, new LowRankAdapter(3, 6, LowRankAdapter.Layers));

        var conversion = Conversion.Run(source, _folder.File("out"), new ConversionOptions { Formats = ["peft"] });

        var proof = conversion.Proofs["peft"];
        (proof.Image.MaxRelative, proof.Text.MaxRelative, proof.WorstWeight!.MaxRelative).ShouldSatisfyAllConditions(
            it => it.Item1.ShouldBeLessThan(1e-5),
            it => it.Item2.ShouldBeLessThan(1e-5),
            it => it.Item3.ShouldBeLessThan(1e-6)
        );
        using var file = SafetensorsFile.Open(_folder.File("out/peft/adapter_model.safetensors"));
        // Two blocks a tower, six layers a block, two matrices each.
        file.Entries.Keys.Order(StringComparer.Ordinal)
            .ShouldBe(
                (
                    from tower in new[] { "text_model", "vision_model" }
                    from layer in new[] { 0, 1 }
                    from module in Modules
                    from end in new[] { "lora_A", "lora_B" }
                    select $"base_model.model.{tower}.encoder.layers.{layer}.{module}.{end}.weight"
                ).Order(StringComparer.Ordinal)
            );
        file.Entries.Values.ShouldAllBe(entry =>
            entry.Dtype == "F32" && entry.Shape[entry.Name.Contains("lora_A", StringComparison.Ordinal) ? 0 : 1] == 3
        );
        var configuration = JsonNode.Parse(File.ReadAllText(_folder.File("out/peft/adapter_config.json")))!;
        (
            configuration["peft_type"]!.GetValue<string>(),
            configuration["r"]!.GetValue<int>(),
            configuration["lora_alpha"]!.GetValue<int>()
        ).ShouldBe(("LORA", 3, 6));
        configuration["auto_mapping"]!["base_model_class"]!.GetValue<string>().ShouldBe(mapped);
        configuration["target_modules"]!.AsArray().Count.ShouldBe(24);
    }

    /// <summary>
    /// The formula written out: W + alpha/r·B·A, on query alone, on a layer of the MLP and on a projection that CLIP keeps transposed.
    /// </summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_foreign_adapter_is_merged_by_PEFT_s_formula(bool isByRoot)
    {
        var layers = new Dictionary<string, (long Out, long In)>
        {
            ["vision_model.encoder.layers.1.self_attn.q_proj"] = (48, 48),
            ["text_model.encoder.layers.0.mlp.fc2"] = (40, 160),
            ["visual_projection"] = (24, 48),
        };
        WriteAdapter(
            layers,
            4,
            new JsonObject
            {
                ["peft_type"] = "LORA",
                ["r"] = 4,
                ["lora_alpha"] = 12,
                ["use_rslora"] = isByRoot,
            }
        );
        using var adapter = SafetensorsFile.Open(_folder.File("lora/adapter_model.safetensors"));
        using var plain = ClipCheckpoint.Open(Model("gelu"));
        using var merged = ClipCheckpoint.Open(Model("gelu"), adapter: _folder.File("lora"));
        torch.Tensor Change(string layer) =>
            adapter.Read($"base_model.model.{layer}.lora_B.weight").mm(adapter.Read($"base_model.model.{layer}.lora_A.weight"))
            * (isByRoot ? 6.0 : 3.0);
        var expected = plain.Keys.ToDictionary(key => key, plain.Read);
        expected["visual.transformer.resblocks.1.attn.in_proj_weight"]
            .narrow(0, 0, 48)
            .add_(Change("vision_model.encoder.layers.1.self_attn.q_proj"));
        expected["transformer.resblocks.0.mlp.c_proj.weight"].add_(Change("text_model.encoder.layers.0.mlp.fc2"));
        expected["visual.proj"].add_(Change("visual_projection").t());

        foreach (var (key, weight) in expected)
        {
            torch.allclose(merged.Read(key), weight, rtol: 0, atol: 1e-6).ShouldBeTrue(key);
        }

        // And through a conversion, into a file of its own.
        Conversion.Run(
            new ConversionSource(Model("gelu"), "base") { Adapter = _folder.File("lora") },
            _folder.File("out"),
            new ConversionOptions { Formats = ["openai"] }
        );
        using var written = ClipCheckpoint.Open(_folder.File("out/openai.safetensors"));
        torch.allclose(written.Read("visual.proj"), expected["visual.proj"], rtol: 0, atol: 1e-6).ShouldBeTrue();
    }

    [Theory]
    [InlineData("use_dora", "true", "magnitudes of DoRA")]
    [InlineData("peft_type", "\"IA3\"", "peft_type")]
    [InlineData("alpha_pattern", "{\"q_proj\":3}", "alpha_pattern")]
    [InlineData("init_lora_weights", "\"pissa\"", "changes the base's weights too")]
    [InlineData("lora_alpha", "1e999", "lora_alpha")]
    public void Another_kind_of_adapter_is_refused_by_name(string key, string value, string named)
    {
        WriteAdapter(
            new() { ["vision_model.encoder.layers.0.mlp.fc1"] = (120, 48) },
            2,
            new JsonObject
            {
                ["peft_type"] = "LORA",
                ["use_dora"] = false,
                ["alpha_pattern"] = new JsonObject(),
                ["init_lora_weights"] = true,
            }
        );
        var path = _folder.File("lora/adapter_config.json");
        var others = JsonNode
            .Parse(File.ReadAllText(path))!
            .AsObject()
            .Where(entry => entry.Key != key)
            .Select(entry => $"\"{entry.Key}\":{entry.Value!.ToJsonString()}");
        File.WriteAllText(path, $"{{{string.Join(',', others.Append($"\"{key}\":{value}"))}}}");

        Refusal("gelu").ShouldContain(named);
    }

    [Theory]
    [InlineData("vision_model.encoder.layers.7.mlp.fc1", 120, 48, "has no layer for key")]
    [InlineData("vision_model.encoder.layers.0.mlp.fc1", 121, 48, "weight there is [120, 48]")]
    [InlineData("visual.transformer.resblocks.0.mlp.c_fc", 120, 48, "adapts no layer of transformers' CLIPModel")]
    public void An_adapter_of_another_model_is_refused_by_its_layer(string layer, long rows, long columns, string named)
    {
        WriteAdapter(new() { [layer] = (rows, columns) }, 2, new JsonObject { ["peft_type"] = "LORA" });
        Refusal("gelu").ShouldContain(named);
    }

    [Fact]
    public void What_is_no_adapter_of_a_base_is_refused()
    {
        var source = Tuned("gelu", new LowRankAdapter(5, 5, ["c_fc"]));
        string Message(ConversionSource changed) =>
            Should
                .Throw<UserErrorException>(() => Conversion.Run(changed, _folder.File("out"), new ConversionOptions { Formats = ["peft"] }))
                .Message;

        Message(source with { Form = new LowRankAdapter(2, 2, LowRankAdapter.Layers) }).ShouldContain("is not of rank 2");
        Message(source with { Form = new LowRankAdapter(5, 5, ["c_proj"]) }).ShouldContain("differs from the base too");
        Message(source with { Base = source.Path }).ShouldContain("there is no adapter to write");
        Message(source with { Base = Model("tanh") }).ShouldContain("the base is another model");
        Message(source with { Base = null }).ShouldContain("--base");
    }

    private static string Model(string name) => ReferenceFiles.Named(Path.Combine("transformers", name));

    private string Refusal(string model) =>
        Should.Throw<UserErrorException>(() => ClipCheckpoint.Open(Model(model), adapter: _folder.File("lora"))).Message;

    // B is drawn too, as if it had been trained.
    private ConversionSource Tuned(string name, LowRankAdapter form)
    {
        using var model = ClipModel.Load(Model(name));
        model.Attach(form, seed: 3);
        using (torch.no_grad())
        {
            foreach (var (_, b) in model.StateDict().Where(weight => weight.Key.StartsWith("lora_b.", StringComparison.Ordinal)))
            {
                b.copy_(torch.randn(b.shape) * 0.01f);
            }
        }

        var path = _folder.File("tuned.safetensors");
        model.Save(path);
        return new ConversionSource(path, "tuned") { Base = Model(name), Form = form };
    }

    private void WriteAdapter(Dictionary<string, (long Out, long In)> layers, long rank, JsonObject configuration)
    {
        Directory.CreateDirectory(_folder.File("lora"));
        SafetensorsWriter.Write(
            _folder.File("lora/adapter_model.safetensors"),
            layers
                .SelectMany(layer =>
                    new KeyValuePair<string, torch.Tensor>[]
                    {
                        new($"base_model.model.{layer.Key}.lora_A.weight", torch.randn(rank, layer.Value.In)),
                        new($"base_model.model.{layer.Key}.lora_B.weight", torch.randn(layer.Value.Out, rank)),
                    }
                )
                .ToDictionary()
        );
        File.WriteAllText(_folder.File("lora/adapter_config.json"), configuration.ToJsonString());
    }
}
