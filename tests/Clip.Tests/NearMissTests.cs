using ClipSae.Clip.Architecture;
using ClipSae.Clip.Checkpoints;
using ClipSae.Clip.Model;
using ClipSae.Tensors;
using ClipSae.TestKit.Files;
using TorchSharp;

namespace ClipSae.Clip.Tests;

/// <summary>Weights that are nearly those of a CLIP are read, or named in one line with what to do.</summary>
public sealed class NearMissTests : IDisposable
{
    private readonly DisposeScope _scope = torch.NewDisposeScope();
    private readonly TemporaryFolder _folder = new();

    [Theory]
    [InlineData("module.")]
    [InlineData("_orig_mod.")]
    [InlineData("module._orig_mod.")]
    [InlineData("_orig_mod.module.")]
    [InlineData("model.module.")]
    [InlineData("state_dict.")]
    [InlineData("ema.")]
    [InlineData("_forward_module.model.")]
    public void What_training_programs_put_before_names_is_taken_off(string prefix)
    {
        Write(OpenAi().Select(weight => KeyValuePair.Create(prefix + weight.Key, weight.Value)));

        RequireSame();
    }

    [Fact]
    public void Wrappers_inside_of_names_and_counters_beside_them_are_passed_over()
    {
        Write(
            OpenAi()
                .Select(weight =>
                    KeyValuePair.Create(
                        "module."
                            + weight
                                .Key.Replace("visual.", "visual._orig_mod.", StringComparison.Ordinal)
                                .Replace("resblocks.1.", "resblocks.1._checkpoint_wrapped_module.", StringComparison.Ordinal),
                        weight.Value
                    )
                )
                .Append(KeyValuePair.Create("n_averaged", torch.tensor(3L)))
        );

        RequireSame();
    }

    [Fact]
    public void A_scale_that_is_a_list_of_one_number_is_that_number()
    {
        var weights = OpenAi();
        weights["logit_scale"] = weights["logit_scale"].reshape(1);
        Write(weights);

        RequireSame();
    }

    // Keys of a text encoder as Stable Diffusion 1, SDXL and ComfyUI have them, beside those of the rest of a picture generator.
    [Theory]
    [InlineData("cond_stage_model.transformer.", "model.diffusion_model.input_blocks.0.weight")]
    [InlineData("conditioner.embedders.0.transformer.", "conditioner.embedders.1.model.ln_final.weight")]
    [InlineData("text_encoders.clip_l.transformer.", "text_encoders.t5xxl.transformer.shared.weight")]
    [InlineData("clip_l.transformer.", "clip_l.logit_scale")]
    [InlineData("", "text_model.embeddings.position_ids")]
    public void The_text_encoder_of_an_image_generator_is_found(string prefix, string other)
    {
        Write(
            Text()
                .Select(weight => KeyValuePair.Create(prefix + weight.Key, weight.Value))
                .Append(KeyValuePair.Create(other, torch.ones(2)))
        );

        RequireText();
    }

    // LAION's, under open_clip's names or transformers'.
    [Theory]
    [InlineData("cond_stage_model.model.", false, "model.diffusion_model.input_blocks.0.weight")]
    [InlineData("conditioner.embedders.0.model.", false, "first_stage_model.encoder.weight")]
    [InlineData("text_encoders.clip_g.transformer.", true, "text_encoders.clip_g.logit_scale")]
    [InlineData("clip_g.transformer.", true, "clip_g.logit_scale")]
    public void A_text_encoder_of_LAION_in_an_image_generator_is_known_to_have_GELU(string prefix, bool isOfTransformers, string other)
    {
        var text = isOfTransformers ? Text() : OpenAi().Where(weight => !weight.Key.StartsWith("visual.", StringComparison.Ordinal));
        Write(
            text.Select(weight => KeyValuePair.Create(prefix + weight.Key, weight.Value)).Append(KeyValuePair.Create(other, torch.ones(2)))
        );

        RequireText();
        using var checkpoint = ClipCheckpoint.Open(At("x.safetensors"), vision: ReferenceFiles.Model);
        (checkpoint.Architecture.Activation, checkpoint.IsActivationAssumed).ShouldBe((MlpActivation.Gelu, false));
    }

    [Fact]
    public void A_SigLIP_2_for_pictures_of_any_shape_is_named_by_its_matrix_of_patches()
    {
        Write([
            KeyValuePair.Create("vision_model.embeddings.patch_embedding.weight", torch.ones(4, 12)),
            KeyValuePair.Create("vision_model.head.probe", torch.ones(1, 1, 4)),
        ]);

        Refusal().ShouldContain("NaFlex");
    }

    [Fact]
    public void A_text_encoder_without_the_name_of_its_model_is_read()
    {
        Write(Text().Select(weight => KeyValuePair.Create(weight.Key.Replace("text_model.", "", StringComparison.Ordinal), weight.Value)));

        RequireText();
    }

    [Theory]
    [InlineData("visual.layer1.0.conv1.weight visual.attnpool.positional_embedding transformer.resblocks.0.ln_1.weight", "ResNet")]
    [InlineData("visual.blocks.0.attn.q_proj.weight text.positional_embedding", "EVA-CLIP")]
    // EVA-02 of its own repository.
    [InlineData("visual.cls_token visual.rope.freqs_cos visual.blocks.0.mlp.w1.weight text.positional_embedding", "EVA-CLIP")]
    [InlineData("visual.trunk.blocks.0.attn.qkv.weight text.positional_embedding", "timm")]
    [InlineData("visual.trunk.attn_pool.latent logit_bias", "SigLIP")]
    [InlineData("visual.trunk.embeds.proj.weight visual.trunk.attn_pool.latent", "NaFlex")]
    // Of open_clip.
    [InlineData("visual.trunk.blocks.0.attn.q_proj.weight visual.trunk.blocks.0.mlp.fc1_g.weight text.positional_embedding", "EVA-02-CLIP")]
    [InlineData("blocks.0.attn.qkv.weight patch_embed.proj.weight cls_token", "image model of timm")]
    [InlineData("lora_te_text_model_encoder_layers_0_mlp_fc1.lora_down.weight", "kohya")]
    [InlineData("base_model.model.text_model.encoder.layers.0.self_attn.q_proj.lora_A.weight", "merge")]
    [InlineData("visual.transformer.resblocks.0.mlp.c_fc.SCB visual.proj", "quantised")]
    [InlineData("text.transformer.embeddings.word_embeddings.weight visual.proj", "text tower of transformers")]
    [InlineData("visual.transformer.resblocks.0.ls_1.gamma visual.proj", "LayerScale")]
    [InlineData("text_decoder.resblocks.0.weight visual.proj", "CoCa")]
    [InlineData("model.diffusion_model.input_blocks.0.weight first_stage_model.encoder.weight", "image generator")]
    [InlineData("encoder.block.0.layer.0.SelfAttention.q.weight shared.weight", "T5")]
    [InlineData("model.layers.0.self_attn.q_proj.weight model.embed_tokens.weight", "language model")]
    [InlineData("W_enc W_dec b_enc", "sparse autoencoder")]
    [InlineData("vision_model.embeddings.class_embedding visual_projection.weight", "contains only a vision tower")]
    [InlineData("visual.conv1.weight visual.proj", "contains only a vision tower")]
    public void Other_models_are_named_by_their_keys_in_one_line(string keys, string what)
    {
        Write(keys.Split(' ').Select(key => KeyValuePair.Create(key, torch.ones(2))));

        var message = Refusal();
        message.ShouldContain(what);
        message.ShouldNotContain("\n");
        message.ShouldContain(": ");
    }

    [Fact]
    public void A_bias_on_scores_is_named_and_no_record_is_printed()
    {
        Write(OpenAi().Append(KeyValuePair.Create("logit_bias", torch.tensor(-10f))));
        Refusal().ShouldContain("logit_bias, trained with the sigmoid loss of SigLIP");

        Write(OpenAi().Append(KeyValuePair.Create("visual.extra", torch.tensor(-10f))));
        Refusal().ShouldContain("'visual.extra' does not belong to a CLIP of these sizes (vision: 3 blocks of width 128");
        Refusal().ShouldNotContain("{");
    }

    // open_clip's ViT-H/14 has heads of 80, which no tensor says; OpenAI has no model of its sizes.
    [Fact]
    public void Sizes_that_only_models_with_other_heads_have_are_refused()
    {
        ForeignWeights
            .Recognise(new ClipArchitecture(1024, 224, 32, 1280, 14, 77, 49408, 1024, 24), ModelTraits.Unknown)!
            .ShouldContain("ViT-H");
        ForeignWeights.Recognise(ClipArchitecture.VitL14, ModelTraits.Unknown).ShouldBeNull();
    }

    [Theory]
    [InlineData(torch.ScalarType.Int8)]
    [InlineData(torch.ScalarType.Byte)]
    [InlineData(torch.ScalarType.Int32)]
    public void Weights_that_need_scales_are_refused(torch.ScalarType type)
    {
        var weights = OpenAi();
        weights["visual.proj"] = weights["visual.proj"].to(type);
        Write(weights);

        Refusal().ShouldContain("'visual.proj' has element type");
        Refusal().ShouldContain("scales");
    }

    [Fact]
    public void Weights_of_fp8_are_refused_by_name()
    {
        var weights = OpenAi();
        weights["visual.proj"] = weights["visual.proj"].to(torch.int8);
        Write(weights);
        File.WriteAllBytes(At("x.safetensors"), Replace(File.ReadAllBytes(At("x.safetensors")), "\"I8\""u8, "\"F8_E4M3\""u8));

        Refusal().ShouldContain("element type F8_E4M3");
    }

    [Fact]
    public void NaN_and_infinity_are_found_when_weights_are_loaded_with_name_and_count()
    {
        var weights = OpenAi();
        weights["visual.proj"][0, 0] = float.NaN;
        weights["visual.proj"][5, 7] = float.NegativeInfinity;
        Write(weights);
        Finds("key 'visual.proj' has 2 values that are NaN or infinite;");

        weights["transformer.resblocks.0.ln_1.bias"].fill_(float.NaN);
        Write(weights);
        Finds("key 'transformer.resblocks.0.ln_1.bias' has 64 values that are NaN or infinite, 66 in 2 tensors;");
    }

    // Converted on the way, so that no weight is read at once with others.
    [Theory]
    [InlineData(torch.ScalarType.Float16)]
    [InlineData(torch.ScalarType.Float64)]
    public void NaN_is_found_in_every_precision_and_under_every_naming(torch.ScalarType type)
    {
        var weights = Text().ToDictionary(weight => weight.Key, weight => weight.Value.to(type));
        weights["text_model.encoder.layers.1.self_attn.k_proj.weight"][3, 4] = float.NaN;
        Write(weights);

        using var checkpoint = ClipCheckpoint.Open(At("x.safetensors"), vision: ReferenceFiles.Model);
        Should
            .Throw<UserErrorException>(() => ClipModel.Load(checkpoint))
            .Message.ShouldContain("'text_model.encoder.layers.1.self_attn.k_proj.weight' has 1 value that is NaN or infinite;");
    }

    public void Dispose()
    {
        _scope.Dispose();
        _folder.Dispose();
    }

    private static byte[] Replace(byte[] file, ReadOnlySpan<byte> from, ReadOnlySpan<byte> to)
    {
        var at = file.AsSpan().IndexOf(from);
        var header = BitConverter.ToInt64(file) + to.Length - from.Length;
        byte[] longer = [.. BitConverter.GetBytes(header), .. file[8..at], .. to, .. file[(at + from.Length)..]];
        return longer;
    }

    private void Finds(string what)
    {
        Should.Throw<UserErrorException>(() => ClipModel.Load(At("x.safetensors"))).Message.ShouldContain(what);
        using var checkpoint = ClipCheckpoint.Open(At("x.safetensors"));
        Should.Throw<UserErrorException>(() => checkpoint.Read("visual.proj")).Message.ShouldContain(what);
        Should.Throw<UserErrorException>(checkpoint.RequireFinite).Message.ShouldContain(what);
        Should.Throw<UserErrorException>(() => checkpoint.SaveAs(At("joined.safetensors"))).Message.ShouldContain(what);
        File.Exists(At("joined.safetensors")).ShouldBeFalse();
    }

    private string At(string name) => _folder.File(name);

    private string Refusal() => Should.Throw<UserErrorException>(() => ClipCheckpoint.Open(At("x.safetensors")).Dispose()).Message;

    private void Write(IEnumerable<KeyValuePair<string, torch.Tensor>> weights) => SafetensorsWriter.Write(At("x.safetensors"), weights);

    private static Dictionary<string, torch.Tensor> OpenAi()
    {
        using var file = SafetensorsFile.Open(ReferenceFiles.Model);
        return file.Entries.Keys.ToDictionary(key => key, file.Read);
    }

    private static Dictionary<string, torch.Tensor> Text() =>
        OpenAi()
            .Where(weight => !weight.Key.StartsWith("visual.", StringComparison.Ordinal) && weight.Key != "logit_scale")
            .SelectMany(weight =>
            {
                var names = HuggingFaceKeys.FromOpenAi(weight.Key);
                var turned = HuggingFaceKeys.IsTransposed(weight.Key) ? weight.Value.t() : weight.Value;
                return names.Count == 1
                    ? [KeyValuePair.Create(names[0], turned)]
                    : names.Zip(turned.chunk(names.Count), KeyValuePair.Create);
            })
            .ToDictionary();

    private void RequireSame()
    {
        using var checkpoint = ClipCheckpoint.Open(At("x.safetensors"));
        RequireSame(checkpoint);
    }

    private void RequireText()
    {
        Refusal().ShouldContain("--vision");
        using var checkpoint = ClipCheckpoint.Open(At("x.safetensors"), vision: ReferenceFiles.Model);
        RequireSame(checkpoint);
    }

    private static void RequireSame(ClipCheckpoint checkpoint)
    {
        var expected = OpenAi();
        checkpoint.Keys.ShouldBe(expected.Keys, ignoreOrder: true);
        foreach (var (key, weight) in expected)
        {
            var read = checkpoint.Read(key);
            read.shape.ShouldBe(weight.shape, key);
            read.Equals(weight).ShouldBeTrue(key);
        }
    }
}
