using System.Text.Json.Nodes;
using ClipSae.Sae.Formats;
using ClipSae.Tensors;
using ClipSae.TestKit.Files;
using static TorchSharp.torch;

namespace ClipSae.Sae.Tests;

public sealed class ForeignAutoencoderTests : IDisposable
{
    private readonly TorchSharp.DisposeScope _scope = NewDisposeScope();
    private readonly TemporaryFolder _folder = new();

    public void Dispose()
    {
        _scope.Dispose();
        _folder.Dispose();
    }

    // Files and outputs of the programs' own code: Reference/autoencoders.py.
    [Theory]
    [InlineData("relu", typeof(SaeVariant.JumpRelu))]
    [InlineData("relu-new", typeof(SaeVariant.JumpRelu))]
    [InlineData("gated", typeof(SaeVariant.JumpRelu))]
    [InlineData("jumprelu", typeof(SaeVariant.JumpRelu))]
    [InlineData("topk", typeof(SaeVariant.TopK))]
    [InlineData("batch-topk", typeof(SaeVariant.BatchTopK))]
    [InlineData("matryoshka", typeof(SaeVariant.BatchTopK))]
    [InlineData("overcomplete-relu", typeof(SaeVariant.JumpRelu))]
    [InlineData("overcomplete-topk", typeof(SaeVariant.TopK))]
    [InlineData("overcomplete-tied", typeof(SaeVariant.TopK))]
    [InlineData("overcomplete-jumprelu", typeof(SaeVariant.JumpRelu))]
    [InlineData("overcomplete-multiplier", typeof(SaeVariant.TopK))]
    [InlineData("overcomplete-batch-norm", typeof(SaeVariant.TopK))]
    public void An_autoencoder_of_another_program_computes_the_same_here_and_after_it_was_saved(string name, Type variant)
    {
        var folder = Path.Combine(AppContext.BaseDirectory, "Reference", name);
        using var sae = ForeignAutoencoder.Load(
            name.StartsWith("overcomplete", StringComparison.Ordinal) ? Path.Combine(folder, "sae.pt") : folder
        );
        using var expected = SafetensorsFile.Open(Path.Combine(folder, "expected.safetensors"));
        var x = expected.Read("x");

        sae.Variant.ShouldBeOfType(variant);
        Difference(sae.Reconstruct(x), expected.Read("reconstruction")).ShouldBeLessThan(1e-5);
        (sae.Encode(x) > 0).eq(expected.Read("latents") > 0).all().item<bool>().ShouldBeTrue("the same latents fire");

        SaeFile.Save(sae, _folder.File("own.safetensors"));
        using var own = ForeignAutoencoder.Load(_folder.File("own.safetensors"));
        own.Variant.ShouldBe(sae.Variant);
        Difference(own.Reconstruct(x), expected.Read("reconstruction")).ShouldBeLessThan(1e-5);
    }

    // What SAELens 6 computes (saes/standard_sae.py, gated_sae.py, jumprelu_sae.py, topk_sae.py), written out.
    [Theory]
    [InlineData("standard", true)]
    [InlineData("standard", false)]
    [InlineData("gated", true)]
    [InlineData("gated", false)]
    [InlineData("jumprelu", false)]
    [InlineData("topk", true)]
    [InlineData("topk-rescaled", true)]
    public void Each_architecture_of_SAELens_computes_the_same(string architecture, bool isCentred)
    {
        using var generator = new Generator(3, CPU);
        Tensor Draw(params long[] shape) => randn(shape, generator: generator);
        var tensors = new Dictionary<string, Tensor>
        {
            ["W_enc"] = Draw(6, 10),
            ["W_dec"] = Draw(10, 6),
            ["b_dec"] = Draw(6),
        };
        foreach (var bias in architecture == "gated" ? ["b_gate", "b_mag", "r_mag"] : new[] { "b_enc" })
        {
            tensors[bias] = Draw(10) * 0.3;
        }

        if (architecture == "jumprelu")
        {
            tensors["threshold"] = Draw(10).abs();
        }

        var isRescaled = architecture == "topk-rescaled";
        WriteSaeLens(
            tensors,
            new JsonObject
            {
                ["architecture"] = isRescaled ? "topk" : architecture,
                ["k"] = 3,
                ["apply_b_dec_to_input"] = isCentred,
                ["normalize_activations"] = "none",
                ["rescale_acts_by_decoder_norm"] = isRescaled,
            }
        );
        var x = Draw(50, 6);
        var input = isCentred ? x - tensors["b_dec"] : x;
        var norms = tensors["W_dec"].norm(1);
        Tensor Pre() => input.matmul(tensors["W_enc"]) + tensors["b_enc"];
        Tensor Largest(Tensor pre)
        {
            var (values, indices) = pre.topk(3, -1);
            return zeros_like(pre).scatter(-1, indices, values.relu());
        }

        var latents = architecture switch
        {
            "standard" => Pre().relu(),
            "jumprelu" => Pre().relu() * (Pre() > tensors["threshold"]),
            "topk" => Largest(Pre()),
            "topk-rescaled" => Largest(Pre() * norms) / norms,
            _ => (input.matmul(tensors["W_enc"]) + tensors["b_gate"] > 0)
                * (input.matmul(tensors["W_enc"] * tensors["r_mag"].exp()) + tensors["b_mag"]).relu(),
        };
        using var sae = ForeignAutoencoder.Load(_folder.Path);

        Difference(sae.Reconstruct(x), latents.matmul(tensors["W_dec"]) + tensors["b_dec"]).ShouldBeLessThan(2e-5);
        if (architecture != "topk")
        {
            Difference(sae.DecoderRows.norm(1), ones(10)).ShouldBeLessThan(1e-6);
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData("decoder")]
    public void A_finetuned_scale_of_SAELens_is_in_the_decoder(object finetuned)
    {
        using var generator = new Generator(3, CPU);
        Tensor Draw(params long[] shape) => randn(shape, generator: generator);
        var tensors = new Dictionary<string, Tensor>(StringComparer.Ordinal)
        {
            ["W_enc"] = Draw(6, 10),
            ["W_dec"] = Draw(10, 6),
            ["b_enc"] = Draw(10),
            ["b_dec"] = Draw(6),
            ["scaling_factor"] = Draw(10).abs() + 0.5,
        };
        WriteSaeLens(
            tensors,
            new JsonObject
            {
                ["architecture"] = "standard",
                ["apply_b_dec_to_input"] = false,
                ["finetuning_scaling_factor"] = finetuned is bool flag ? flag : (string)finetuned,
            }
        );
        var x = Draw(50, 6);
        var latents = (x.matmul(tensors["W_enc"]) + tensors["b_enc"]).relu();

        using var sae = ForeignAutoencoder.Load(_folder.Path);

        var expected = (latents * tensors["scaling_factor"]).matmul(tensors["W_dec"]) + tensors["b_dec"];
        Difference(sae.Reconstruct(x), expected).ShouldBeLessThan(2e-5);
    }

    [Theory]
    [InlineData("architecture", "temporal", "architecture 'temporal'")]
    [InlineData("normalize_activations", "layer_norm", "layer_norm")]
    [InlineData("reshape_activations", "hook_z", "hook_z")]
    [InlineData("d_out", "6", "transcoder")]
    public void What_is_not_computed_here_is_refused_by_name(string key, string value, string named)
    {
        var config = new JsonObject { ["architecture"] = "standard", ["apply_b_dec_to_input"] = true };
        config[key] = value;
        WriteSaeLens(
            new()
            {
                ["W_enc"] = zeros(6, 10),
                ["W_dec"] = ones(10, 6),
                ["b_enc"] = zeros(10),
                ["b_dec"] = zeros(6),
            },
            config
        );

        Refused(_folder.Path).ShouldContain(named);
    }

    [Fact]
    public void Damaged_or_foreign_files_are_refused_in_one_line()
    {
        Refused(_folder.Path).ShouldContain("contains no autoencoder");
        SafetensorsWriter.Write(_folder.File("clip.safetensors"), new Dictionary<string, Tensor> { ["visual.proj"] = zeros(2, 2) });
        Refused(_folder.File("clip.safetensors")).ShouldContain("first key 'visual.proj'");

        var top = Path.Combine(AppContext.BaseDirectory, "Reference", "topk", "ae.pt");
        File.Copy(top, _folder.File("alone.pt"));
        Refused(_folder.File("alone.pt")).ShouldContain("may be an AutoEncoderTopK or a BatchTopKSAE");
        File.WriteAllText(_folder.File("config.json"), "{\"trainer\": {\"dict_class\": \"CrossCoder\"}}");
        Refused(_folder.File("alone.pt")).ShouldContain("'CrossCoder'");
        File.WriteAllBytes(_folder.File("cut.pt"), File.ReadAllBytes(top)[..900]);
        Refused(_folder.File("cut.pt")).ShouldContain("cut.pt");

        WriteSaeLens(
            new()
            {
                ["W_enc"] = zeros(6, 10),
                ["W_dec"] = ones(9, 6),
                ["b_enc"] = zeros(10),
                ["b_dec"] = zeros(6),
            },
            new JsonObject { ["architecture"] = "standard" }
        );
        Refused(_folder.Path).ShouldContain("the decoder is [9, 6]");
        WriteSaeLens(
            new()
            {
                ["W_enc"] = full(6, 10, float.NaN),
                ["W_dec"] = ones(10, 6),
                ["b_enc"] = zeros(10),
                ["b_dec"] = zeros(6),
            },
            new JsonObject { ["architecture"] = "standard" }
        );
        Refused(_folder.Path).ShouldContain("NaN");
        WriteSaeLens(
            new()
            {
                ["W_enc"] = zeros(6, 10),
                ["W_dec"] = ones(10, 6),
                ["b_enc"] = zeros(10),
                ["b_dec"] = zeros(6),
            },
            new JsonObject { ["architecture"] = "topk", ["k"] = 11 }
        );
        Refused(_folder.Path).ShouldContain("k is 11, but it has 10 latents");
    }

    private static string Refused(string path)
    {
        var message = Should.Throw<UserErrorException>(() => ForeignAutoencoder.Load(path)).Message;
        message.ShouldNotContain("\n");
        return message;
    }

    private void WriteSaeLens(Dictionary<string, Tensor> tensors, JsonObject config)
    {
        SafetensorsWriter.Write(
            _folder.File(SaeLensFormat.WeightsFile),
            tensors.ToDictionary(tensor => tensor.Key, tensor => tensor.Value.contiguous())
        );
        File.WriteAllText(_folder.File(SaeLensFormat.ConfigFile), config.ToJsonString());
    }

    private static double Difference(Tensor a, Tensor b) => (a - b).abs().max().item<float>();
}
