using ClipSae.Clip.Architecture;
using ClipSae.Clip.Checkpoints;
using ClipSae.Tensors;
using ClipSae.Tensors.Torch;
using ClipSae.TestKit.Files;

namespace ClipSae.Clip.Tests;

/// <summary>Pickled and scripted models carry their classes and heads, which their tensors do not say.</summary>
public sealed class ModuleDescriptionTests
{
    private static readonly ClipArchitecture Tiny = new(64, 32, 3, 128, 8, 77, 300, 64, 2);

    [Theory]
    [InlineData("module.transformer.resblocks.1.mlp.gelu", "SwiGLU", "training", false, "is a SwiGLU")]
    [InlineData("vision_model.encoder.layers.0.mlp.activation_fn", "ReLU", "training", false, "is a ReLU")]
    [InlineData(
        "visual.transformer.resblocks.0.attn",
        "MultiheadAttention",
        "num_heads",
        5L,
        "has 5 heads, which do not divide a width of 128"
    )]
    [InlineData("transformer.resblocks.0.attn", "MultiheadAttention", "num_heads", 3L, "has 3 heads, which do not divide a width of 64")]
    [InlineData(
        "text_model.encoder.layers.0.self_attn",
        "CLIPAttention",
        "num_heads",
        5L,
        "has 5 heads, which do not divide a width of 64"
    )]
    [InlineData("visual.ln_pre", "LayerNorm", "eps", 1e-6, "adds 1E-06")]
    [InlineData("visual", "VisionTransformer", "pool_type", "avg", "pools by avg")]
    [InlineData("", "CLIP", "text_pool_type", "last", "pools by last")]
    [InlineData("transformer.resblocks.0", "ResidualAttentionBlock", "attn_mask", null, "has no causal mask")]
    public void A_module_that_is_not_what_is_computed_is_refused_by_its_name(
        string path,
        string type,
        string attribute,
        object? value,
        string reason
    )
    {
        var module = new PickledModule(path, type, new Dictionary<string, object?> { [attribute] = value });

        var message = Should.Throw<UserErrorException>(() => ModuleDescription.Read([module], Tiny, "model.pt")).Message;

        message.ShouldContain($"model.pt: module '{path}'");
        message.ShouldContain(reason);
    }

    [Fact]
    public void A_model_of_OpenAIs_code_is_taken()
    {
        using var file = TorchFile.Open(ReferenceFiles.Named("openai_clip_tiny.gmp.whole_model_pickle.pt"));

        file.Modules.Count.ShouldBeGreaterThan(40);
        ModuleDescription.Read(file.Modules, Tiny, "model.pt").ShouldBe(new ModelTraits(MlpActivation.QuickGelu, 2, 1));
    }

    [Theory]
    [InlineData("GELU", "none", "gelu")]
    [InlineData("GELU", "tanh", "gelu_pytorch_tanh")]
    [InlineData("NewGELUActivation", null, "gelu_pytorch_tanh")]
    [InlineData("GELUActivation", null, "gelu")]
    [InlineData("QuickGELU", null, "quick_gelu")]
    public void An_activation_is_known_by_its_class(string type, string? approximation, string expected)
    {
        var module = new PickledModule(
            "visual.transformer.resblocks.0.mlp.gelu",
            type,
            new Dictionary<string, object?> { ["approximate"] = approximation }
        );
        var heads = new PickledModule(
            "transformer.resblocks.0.attn",
            "MultiheadAttention",
            new Dictionary<string, object?> { ["num_heads"] = 8L }
        );

        ModuleDescription.Read([module, heads], Tiny, "model.pt").ShouldBe(new ModelTraits(MlpActivation.Find(expected), null, 8));
    }
}
