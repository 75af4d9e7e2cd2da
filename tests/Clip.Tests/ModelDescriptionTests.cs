using ClipSae.Clip.Architecture;
using ClipSae.Clip.Checkpoints;
using ClipSae.TestKit.Files;
using TorchSharp;

namespace ClipSae.Clip.Tests;

/// <summary>
/// What lies beside weights is read in the same way for a file and for its folder: what is described and not computed is refused by name.
/// </summary>
public sealed class ModelDescriptionTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    // The reference: vision of 3 blocks, width 128, patches of 8 in 32 pixels; text of 2 blocks, width 64, 77 of 300 tokens; 64 dimensions.
    [Theory]
    [InlineData("config.json", """{"vision_config":{"hidden_act":"relu"}}""", "'vision_config.hidden_act' is relu")]
    [InlineData("config.json", """{"text_config_dict":{"hidden_act":"relu"}}""", "'text_config_dict.hidden_act' is relu")]
    [InlineData(
        "config.json",
        """{"vision_config":{"hidden_act":"gelu"},"text_config":{"hidden_act":"quick_gelu"}}""",
        "the activation is said to be gelu in one place and quick_gelu in another"
    )]
    [InlineData("config.json", """{"text_config":{"hidden_size":64,"num_attention_heads":7}}""", "7 heads do not divide a width of 64")]
    [InlineData("config.json", """{"vision_config":{"num_attention_heads":3}}""", "3 heads do not divide a width of 128")]
    // The default is left out in such files.
    [InlineData("config.json", """{"vision_config":{"hidden_size":128}}""", "12 heads do not divide a width of 128")]
    [InlineData("config.json", """{"text_config":{"layer_norm_eps":1e-6}}""", "'text_config.layer_norm_eps' is 1e-6")]
    [InlineData("config.json", """{"model_type":"siglip","vision_config":{}}""", "'model_type' is siglip")]
    [InlineData("config.json", """{"vision_config":{"model_type":"siglip_vision_model"}}""", "siglip_vision_model")]
    [InlineData("config.json", """{"model_type":"clip_text_model","hidden_act":"relu","hidden_size":64}""", "'hidden_act' is relu")]
    [InlineData("config.json", """{"hidden_size":64,"num_attention_heads":5}""", "5 heads do not divide a width of 64")]
    [InlineData("config.json", """{"text_config":{"eos_token_id":7}}""", "'text_config.eos_token_id' is 7")]
    [InlineData("config.json", """{"vision_config":{"hidden_size":768,"num_attention_heads":2}}""", "describes another model")]
    [InlineData(
        "config.json",
        """{"vision_config":{"num_hidden_layers":2}}""",
        "'vision_config.num_hidden_layers' is 2, but the weights have 3"
    )]
    [InlineData("config.json", """{"architecture":"vit_base_patch32_clip_224","pretrained_cfg":{"num_classes":0}}""", "timm")]
    [InlineData("config.json", "{", "config.json")]
    [InlineData("config.json", "[1]", "not a JSON object")]
    [InlineData(
        "open_clip_config.json",
        """{"model_cfg":{"quick_gelu":true,"vision_cfg":{"mlp_ratio":3}}}""",
        "'model_cfg.vision_cfg.mlp_ratio' is 3"
    )]
    [InlineData(
        "open_clip_config.json",
        """{"model_cfg":{"vision_cfg":{"act_kwargs":{"approximate":"sigmoid"}}}}""",
        "'model_cfg.vision_cfg.act_kwargs.approximate' is sigmoid"
    )]
    [InlineData(
        "open_clip_config.json",
        """{"model_cfg":{"quick_gelu":true,"vision_cfg":{"head_width":48}}}""",
        "'model_cfg.vision_cfg.head_width' is 48"
    )]
    [InlineData(
        "open_clip_config.json",
        """{"model_cfg":{"quick_gelu":true,"vision_cfg":{"pool_type":"avg"}}}""",
        "'model_cfg.vision_cfg.pool_type' is avg"
    )]
    [InlineData("open_clip_config.json", """{"model_cfg":{"quick_gelu":true,"vision_cfg":{"timm_model_name":"vit_base"}}}""", "timm")]
    [InlineData(
        "open_clip_config.json",
        """{"model_cfg":{"quick_gelu":true,"vision_cfg":{"layers":[3,4,6,3]}}}""",
        "'model_cfg.vision_cfg.layers' is [3,4,6,3]"
    )]
    [InlineData("open_clip_config.json", """{"model_cfg":{"quick_gelu":true,"vision_cfg":{"ls_init_value":1e-5}}}""", "LayerScale")]
    [InlineData(
        "open_clip_config.json",
        """{"model_cfg":{"quick_gelu":true,"text_cfg":{"heads":5}}}""",
        "5 heads do not divide a width of 64"
    )]
    [InlineData(
        "open_clip_config.json",
        """{"model_cfg":{"quick_gelu":true,"text_cfg":{"no_causal_mask":true}}}""",
        "'model_cfg.text_cfg.no_causal_mask' is true"
    )]
    [InlineData(
        "open_clip_config.json",
        """{"model_cfg":{"quick_gelu":true,"text_cfg":{"hf_model_name":"roberta-base"}}}""",
        "roberta-base"
    )]
    [InlineData("open_clip_config.json", """{"model_cfg":{"quick_gelu":true,"init_logit_bias":-10}}""", "SigLIP")]
    [InlineData(
        "open_clip_config.json",
        """{"model_cfg":{"quick_gelu":true},"preprocess_cfg":{"mean":[0.5,0.5,0.5]}}""",
        "'preprocess_cfg.mean' is [0.5,0.5,0.5]"
    )]
    [InlineData("open_clip_config.json", """{"model_cfg":{"quick_gelu":true},"preprocess_cfg":{"resize_mode":"longest"}}""", "longest")]
    [InlineData(
        "preprocessor_config.json",
        """{"do_normalize":true,"image_mean":[0.5,0.5,0.5],"image_std":[0.5,0.5,0.5]}""",
        "'image_mean' is [0.5,0.5,0.5]"
    )]
    [InlineData("preprocessor_config.json", """{"image_std":[1,1,1]}""", "'image_std' is [1,1,1]")]
    [InlineData("preprocessor_config.json", """{"resample":2}""", "'resample' is 2")]
    [InlineData("preprocessor_config.json", """{"do_center_crop":false}""", "'do_center_crop' is false")]
    [InlineData("preprocessor_config.json", """{"crop_size":224}""", "'crop_size' is 224")]
    [InlineData("preprocessor_config.json", """{"crop_size":{"height":32,"width":48}}""", "'crop_size.width' is 48")]
    [InlineData("preprocessor_config.json", """{"size":{"height":32,"width":48}}""", "'size.width' is 48")]
    [InlineData("preprocessor_config.json", """{"size":{"longest_edge":32}}""", "'size' is {")]
    [InlineData("preprocessor_config.json", """{"size":{"shortest_edge":36}}""", "'size.shortest_edge' is 36")]
    [InlineData("preprocessor_config.json", """{"image_processor_type":"SiglipImageProcessor"}""", "SiglipImageProcessor")]
    [InlineData("processor_config.json", """{"image_processor":{"image_mean":[0.5,0.5,0.5]}}""", "'image_processor.image_mean'")]
    public void A_model_that_would_be_computed_wrongly_is_refused(string file, string description, string reason)
    {
        foreach (var name in new[] { "model.safetensors", "open_clip_model.safetensors", "anything.bin" })
        {
            File.Copy(ReferenceFiles.Model, At(name));
            File.WriteAllText(At(file), description);

            Refusal(_folder.Path).ShouldContain(reason);
            Refusal(At(name)).ShouldContain(reason);
            Refusal(At(name)).ShouldContain(At(file));
            File.Delete(At(name));
        }
    }

    [Theory]
    [InlineData(
        "config.json",
        """{"architectures":["CLIPModel"],"model_type":"clip","projection_dim":64,"text_config":{"hidden_size":64"""
            + ""","intermediate_size":256,"num_attention_heads":1,"num_hidden_layers":2,"vocab_size":300,"eos_token_id":2}"""
            + ""","vision_config":{"hidden_size":128,"num_attention_heads":2,"patch_size":8,"image_size":32,"layer_norm_eps":1e-05}}"""
    )]
    [InlineData("config.json", """{"theme":"dark"}""")] // another program's
    [InlineData(
        "open_clip_config.json",
        """{"model_cfg":{"embed_dim":64,"quick_gelu":true,"vision_cfg":{"image_size":32,"layers":3,"width":128,"patch_size":8}"""
            + ""","text_cfg":{"context_length":77,"vocab_size":300,"width":64,"heads":1,"layers":2}}"""
            + ""","preprocess_cfg":{"mean":[0.48145466,0.4578275,0.40821073],"std":[0.26862954,0.26130258,0.27577711]}}"""
    )]
    [InlineData(
        "preprocessor_config.json",
        """{"crop_size":{"height":32,"width":32},"do_center_crop":true,"do_convert_rgb":true,"do_normalize":true"""
            + ""","do_rescale":true,"do_resize":true"""
            + ""","feature_extractor_type":"CLIPFeatureExtractor","image_mean":[0.48145466,0.4578275,0.40821073]"""
            + ""","image_processor_type":"CLIPImageProcessor","image_std":[0.26862954,0.26130258,0.27577711],"resample":3"""
            + ""","rescale_factor":0.00392156862745098,"size":{"shortest_edge":32}}"""
    )]
    [InlineData("preprocessor_config.json", """{"crop_size":32,"size":32}""")]
    public void A_description_of_what_is_computed_is_taken(string file, string description)
    {
        File.Copy(ReferenceFiles.Model, At("model.safetensors"));
        File.WriteAllText(At(file), description);

        ClipCheckpoint.Open(_folder.Path).Dispose();
        ClipCheckpoint.Open(At("model.safetensors")).Dispose();
    }

    // What a text encoder's own description says of its heads holds for the model it goes into.
    [Fact]
    public void The_description_of_a_text_encoder_alone_is_read_too()
    {
        using (var scope = torch.NewDisposeScope())
        using (var whole = Tensors.SafetensorsFile.Open(ReferenceFiles.Model))
        {
            Tensors.SafetensorsWriter.Write(
                At("text.safetensors"),
                whole
                    .Entries.Keys.Where(key => !key.StartsWith("visual.", StringComparison.Ordinal))
                    .Select(key => KeyValuePair.Create(key, whole.Read(key)))
            );
        }

        using (var checkpoint = ClipCheckpoint.Open(At("text.safetensors"), vision: ReferenceFiles.Model))
        {
            checkpoint.Architecture.TextWidth.ShouldBe(64);
        }

        File.WriteAllText(
            At("config.json"),
            """{"architectures":["CLIPTextModel"],"model_type":"clip_text_model","hidden_act":"gelu","num_attention_heads":4}"""
        );
        using (var checkpoint = ClipCheckpoint.Open(At("text.safetensors"), vision: ReferenceFiles.Model))
        {
            (checkpoint.Architecture.Activation, checkpoint.Architecture.TextHeads, checkpoint.Architecture.VisionHeads).ShouldBe(
                (MlpActivation.Gelu, 4, 2)
            );
        }

        File.WriteAllText(At("config.json"), """{"architectures":["CLIPTextModel"],"model_type":"clip_text_model","hidden_act":"relu"}""");
        Should
            .Throw<UserErrorException>(() => ClipCheckpoint.Open(At("text.safetensors"), vision: ReferenceFiles.Model))
            .Message.ShouldContain("'hidden_act' is relu");
    }

    [Theory]
    [InlineData("model.safetensors", false)]
    [InlineData("config.json", true)]
    [InlineData("preprocessor_config.json", true)]
    public void Descriptions_are_known_by_their_names(string name, bool isOne) => ClipCheckpoint.IsDescription(name).ShouldBe(isOne);

    public void Dispose() => _folder.Dispose();

    private static string Refusal(string path) => Should.Throw<UserErrorException>(() => ClipCheckpoint.Open(path).Dispose()).Message;

    private string At(string name) => _folder.File(name);
}
