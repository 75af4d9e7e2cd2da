using System.Text.Json;
using ClipSae.Clip.Architecture;
using ClipSae.Clip.Checkpoints;
using ClipSae.Clip.Model;
using ClipSae.Tensors;
using ClipSae.TestKit.Files;
using ClipSae.TestKit.Formats;
using TorchSharp;

namespace ClipSae.Clip.Tests;

/// <summary>Every form of a checkpoint gives the features of the original code. Expected numbers: reference files.</summary>
public sealed class ClipCheckpointTests : IDisposable
{
    private readonly DisposeScope _scope = torch.NewDisposeScope();
    private readonly IDisposable _noGrad = torch.no_grad();
    private readonly TemporaryFolder _folder = new();

    // Half precision rounds each weight to 11 bits.
    [Theory]
    [InlineData("openai_clip_tiny.state_dict.legacy.pt", false, 1e-5)]
    [InlineData("openai_clip_tiny.state_dict.fp16.pt", false, 1e-2)]
    [InlineData("openai_clip_tiny.gmp.whole_model_pickle.pt", true, 1e-5)]
    public void Files_of_PyTorch_give_the_features_of_the_original_code(string name, bool geometric, double tolerance) =>
        RequireFeatures(ReferenceFiles.Named(name), geometric ? ReferenceFiles.GeometricExpected : ReferenceFiles.Expected, tolerance);

    // OpenAI's downloads are such archives, in half precision.
    [Theory]
    [InlineData(torch.ScalarType.Float32, 1e-5)]
    [InlineData(torch.ScalarType.Float16, 1e-2)]
    public void A_TorchScript_archive_gives_the_features_of_the_original_code(torch.ScalarType type, double tolerance)
    {
        ScriptArchive.Write(At("ViT.pt"), OpenAi().ToDictionary(weight => weight.Key, weight => weight.Value.to(type)));

        RequireFeatures(At("ViT.pt"), ReferenceFiles.Expected, tolerance);
    }

    // Numbers of parameters as open_clip's model_profile.csv lists them for these models, in millions.
    [Theory]
    [InlineData(512, 224, 12, 768, 32, 512, 151.28)]
    [InlineData(512, 224, 12, 768, 16, 512, 149.62)]
    [InlineData(768, 224, 24, 1024, 14, 768, 427.62)]
    [InlineData(768, 336, 24, 1024, 14, 768, 427.94)]
    public void OpenAIs_four_sizes_are_told_by_their_shapes(
        int embed,
        int resolution,
        int layers,
        int width,
        int patch,
        int textWidth,
        double millions
    )
    {
        var architecture = new ClipArchitecture(embed, resolution, layers, width, patch, 77, 49408, textWidth, 12);
        var shapes = ClipKeys.Shapes(architecture).ToDictionary(shape => shape.Key, shape => (IReadOnlyList<long>)shape.Value);

        ClipStateDict.Check(shapes, "model").Architecture.ShouldBe(architecture);
        (shapes.Values.Sum(shape => shape.Aggregate(1L, (product, size) => product * size)) / 1e6).ShouldBe(millions, 0.005);
    }

    [Fact]
    public void The_name_of_a_file_says_nothing()
    {
        File.Copy(ReferenceFiles.Named("openai_clip_tiny.state_dict.legacy.pt"), At("model.safetensors"));

        RequireFeatures(At("model.safetensors"), ReferenceFiles.Expected, 1e-5);
    }

    [Theory]
    [InlineData("")]
    [InlineData("module.")]
    public void A_folder_of_transformers_is_read(string prefix)
    {
        SafetensorsWriter.Write(At("model.safetensors"), HuggingFace(prefix));
        File.WriteAllText(
            At("config.json"),
            """{"text_config":{"hidden_act":"quick_gelu","hidden_size":64,"num_attention_heads":1}"""
                + ""","vision_config":{"hidden_size":128,"num_attention_heads":2}}"""
        );

        using (var checkpoint = ClipCheckpoint.Open(_folder.Path))
        {
            checkpoint.Layout.ShouldBe(KeyLayout.HuggingFace);
        }

        RequireFeatures(_folder.Path, ReferenceFiles.Expected, 1e-5);
    }

    [Fact]
    public void Sharded_safetensors_are_read_by_their_index()
    {
        var tensors = HuggingFace("");
        var half = tensors.Keys.Order(StringComparer.Ordinal).Take(tensors.Count / 2).ToHashSet();
        SafetensorsWriter.Write(At("model-00001-of-00002.safetensors"), tensors.Where(tensor => half.Contains(tensor.Key)));
        SafetensorsWriter.Write(At("model-00002-of-00002.safetensors"), tensors.Where(tensor => !half.Contains(tensor.Key)));
        WriteIndex(
            tensors.Keys.ToDictionary(
                key => key,
                key => half.Contains(key) ? "model-00001-of-00002.safetensors" : "model-00002-of-00002.safetensors"
            )
        );

        RequireFeatures(_folder.Path, ReferenceFiles.Expected, 1e-5);
        RequireFeatures(At("model.safetensors.index.json"), ReferenceFiles.Expected, 1e-5);
        File.Copy(At("model.safetensors.index.json"), At("parts"));
        RequireFeatures(At("parts"), ReferenceFiles.Expected, 1e-5);
    }

    [Theory]
    [InlineData("../model.safetensors", "is not the name of a file next to it")]
    [InlineData("gone.safetensors", "gone.safetensors")]
    [InlineData("part.safetensors", "key 'logit_scale' should be in part.safetensors")]
    public void An_index_that_lies_is_refused(string file, string reason)
    {
        SafetensorsWriter.Write(At("part.safetensors"), [KeyValuePair.Create("x", torch.ones(1))]);
        WriteIndex(new Dictionary<string, string> { ["logit_scale"] = file });

        Refusal(_folder.Path).ShouldContain(reason);
    }

    [Fact]
    public void An_open_clip_file_with_a_text_tower_of_its_own_is_read()
    {
        var text = new[] { "positional_embedding", "text_projection", "token_embedding", "transformer.", "ln_final" };
        SafetensorsWriter.Write(
            At("x.safetensors"),
            OpenAi()
                .Select(weight =>
                    KeyValuePair.Create(
                        text.Any(prefix => weight.Key.StartsWith(prefix, StringComparison.Ordinal)) ? "text." + weight.Key : weight.Key,
                        weight.Value
                    )
                )
        );

        RequireFeatures(At("x.safetensors"), ReferenceFiles.Expected, 1e-5);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_text_encoder_alone_goes_into_the_vision_tower_that_is_named(bool withProjection)
    {
        SafetensorsWriter.Write(
            At("text.safetensors"),
            HuggingFace("")
                .Where(weight =>
                    weight.Key.StartsWith("text_model.", StringComparison.Ordinal)
                    || (withProjection && weight.Key == "text_projection.weight")
                )
        );

        Refusal(At("text.safetensors")).ShouldContain("--vision");
        using var checkpoint = ClipCheckpoint.Open(At("text.safetensors"), vision: ReferenceFiles.Model);
        RequireFeatures(checkpoint, ReferenceFiles.Expected, 1e-5);
    }

    // Long-CLIP adds rows below 20 of the one and from 20 on of the other, so rows that are not used may hold anything.
    [Fact]
    public void Both_positional_embeddings_of_Long_CLIP_are_used_where_it_uses_them()
    {
        var weights = OpenAi();
        var positions = weights["positional_embedding"];
        weights["positional_embedding"] = positions.clone();
        weights["positional_embedding_res"] = positions.clone();
        weights["positional_embedding"][20..].fill_(float.NaN);
        weights["positional_embedding_res"][..20].fill_(float.NaN);
        SafetensorsWriter.Write(At("long.safetensors"), weights);

        RequireFeatures(At("long.safetensors"), ReferenceFiles.Expected, 1e-5);

        weights.Remove("positional_embedding");
        SafetensorsWriter.Write(At("half.safetensors"), weights);
        Refusal(At("half.safetensors")).ShouldContain("without its partner 'positional_embedding'");
    }

    [Theory]
    [InlineData("vision_model.encoder.layers.1.self_attn.k_proj.bias", "k_proj")]
    [InlineData("vision_model.pre_layrnorm.weight", "'visual.ln_pre.weight' is missing")]
    public void A_folder_that_lacks_a_weight_is_refused_by_its_name(string key, string reason)
    {
        SafetensorsWriter.Write(At("model.safetensors"), HuggingFace("").Where(weight => weight.Key != key));

        Refusal(_folder.Path).ShouldContain(reason);
    }

    [Fact]
    public void A_folder_without_weights_says_what_it_expected()
    {
        Refusal(_folder.Path).ShouldContain("model.safetensors");
        File.WriteAllText(At("a.bin"), "<html>404</html>");
        Refusal(_folder.Path).ShouldContain("a.bin: is a web page");
    }

    [Fact]
    public void Joined_weights_are_those_of_the_checkpoint()
    {
        using (var checkpoint = ClipCheckpoint.Open(ReferenceFiles.Named("openai_clip_tiny.state_dict.fp16.pt")))
        {
            checkpoint.SaveAs(At("joined.safetensors"));
        }

        using var joined = SafetensorsFile.Open(At("joined.safetensors"));
        using var source = SafetensorsFile.Open(ReferenceFiles.Model);
        joined.Entries.Keys.ShouldBe(source.Entries.Keys, ignoreOrder: true);
        joined.Read("visual.proj").Equals(source.Read("visual.proj").to(torch.float16)).ShouldBeTrue();
    }

    public void Dispose()
    {
        _noGrad.Dispose();
        _scope.Dispose();
        _folder.Dispose();
    }

    private string At(string name) => _folder.File(name);

    private static string Refusal(string path) => Should.Throw<UserErrorException>(() => ClipCheckpoint.Open(path).Dispose()).Message;

    private void WriteIndex(Dictionary<string, string> map) =>
        File.WriteAllText(At("model.safetensors.index.json"), JsonSerializer.Serialize(new { weight_map = map }));

    private static void RequireFeatures(string path, string expected, double tolerance)
    {
        using var checkpoint = ClipCheckpoint.Open(path);
        RequireFeatures(checkpoint, expected, tolerance);
    }

    private static void RequireFeatures(ClipCheckpoint checkpoint, string expected, double tolerance)
    {
        using var model = ClipModel.Load(checkpoint);
        var image = model.EncodeImage(ReferenceFiles.Read(ReferenceFiles.Expected, "image"));
        var text = model.EncodeText(ReferenceFiles.Read(ReferenceFiles.Expected, "text_tokens"));
        ReferenceFiles.RelativeError(image, ReferenceFiles.Read(expected, "image_features")).ShouldBeLessThan(tolerance);
        ReferenceFiles.RelativeError(text, ReferenceFiles.Read(expected, "text_features")).ShouldBeLessThan(tolerance);
    }

    private static Dictionary<string, torch.Tensor> OpenAi()
    {
        using var file = SafetensorsFile.Open(ReferenceFiles.Model);
        return file.Entries.Keys.ToDictionary(key => key, file.Read);
    }

    // The names of transformers' CLIPModel, written out here by other means than in the reader.
    private static Dictionary<string, torch.Tensor> HuggingFace(string prefix)
    {
        var weights = OpenAi();
        var renamed = new Dictionary<string, torch.Tensor>
        {
            ["logit_scale"] = weights["logit_scale"],
            ["text_projection.weight"] = weights["text_projection"].t().contiguous(),
            ["visual_projection.weight"] = weights["visual.proj"].t().contiguous(),
            ["vision_model.embeddings.class_embedding"] = weights["visual.class_embedding"],
            ["vision_model.embeddings.patch_embedding.weight"] = weights["visual.conv1.weight"],
            ["vision_model.embeddings.position_embedding.weight"] = weights["visual.positional_embedding"],
            ["text_model.embeddings.position_embedding.weight"] = weights["positional_embedding"],
            ["text_model.embeddings.token_embedding.weight"] = weights["token_embedding.weight"],
            ["text_model.embeddings.position_ids"] = torch.arange(77).unsqueeze(0),
        };
        foreach (var ending in new[] { "weight", "bias" })
        {
            renamed[$"vision_model.pre_layrnorm.{ending}"] = weights[$"visual.ln_pre.{ending}"];
            renamed[$"vision_model.post_layernorm.{ending}"] = weights[$"visual.ln_post.{ending}"];
            renamed[$"text_model.final_layer_norm.{ending}"] = weights[$"ln_final.{ending}"];
            foreach (
                var (tower, blocks, layers) in new[]
                {
                    ("vision_model", "visual.transformer.resblocks", 3),
                    ("text_model", "transformer.resblocks", 2),
                }
            )
            {
                for (var layer = 0; layer < layers; layer++)
                {
                    var (to, from) = ($"{tower}.encoder.layers.{layer}", $"{blocks}.{layer}");
                    var attention = weights[$"{from}.attn.in_proj_{ending}"].chunk(3);
                    renamed[$"{to}.self_attn.q_proj.{ending}"] = attention[0].contiguous();
                    renamed[$"{to}.self_attn.k_proj.{ending}"] = attention[1].contiguous();
                    renamed[$"{to}.self_attn.v_proj.{ending}"] = attention[2].contiguous();
                    renamed[$"{to}.self_attn.out_proj.{ending}"] = weights[$"{from}.attn.out_proj.{ending}"];
                    renamed[$"{to}.layer_norm1.{ending}"] = weights[$"{from}.ln_1.{ending}"];
                    renamed[$"{to}.layer_norm2.{ending}"] = weights[$"{from}.ln_2.{ending}"];
                    renamed[$"{to}.mlp.fc1.{ending}"] = weights[$"{from}.mlp.c_fc.{ending}"];
                    renamed[$"{to}.mlp.fc2.{ending}"] = weights[$"{from}.mlp.c_proj.{ending}"];
                }
            }
        }

        return renamed.ToDictionary(weight => prefix + weight.Key, weight => weight.Value);
    }
}
