using ClipSae.Clip.Architecture;
using ClipSae.WeightConversion.Weights;

namespace ClipSae.WeightConversion.Targets;

/// <summary>OpenAI's state dict as safetensors.</summary>
public sealed record OpenAiTarget() : ConversionTarget("openai", "ClipSae, and code that loads OpenAI's state dict from safetensors")
{
    public const string FileName = "openai.safetensors";

    public override bool IsOf(ClipFamily family) => family.HasOpenAiKeys;

    public override IReadOnlyList<string> Loadable => [FileName];

    public override void Write(ConversionMaterial material, string folder) =>
        TensorSink.Safetensors(
            Path.Combine(folder, FileName),
            material.OpenAi(),
            material,
            new Dictionary<string, string>(material.Weights.Metadata) { ["format"] = "pt", ["keys"] = "openai" }
        );
}
