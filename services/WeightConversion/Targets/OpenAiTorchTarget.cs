using ClipSae.WeightConversion.Weights;

namespace ClipSae.WeightConversion.Targets;

/// <summary>OpenAI's state dict as <c>torch.save</c> writes it; <c>torch.load(weights_only=True)</c> takes it.</summary>
public sealed record OpenAiTorchTarget()
    : ConversionTarget("openai-pt", "torch.load with weights_only=True, openai/CLIP's build_model, and most older code")
{
    public override IReadOnlyList<string> Loadable => ["openai.pt"];

    public override void Write(ConversionMaterial material, string folder) =>
        TensorSink.Torch(Path.Combine(folder, Loadable[0]), material.OpenAi(), material);
}
