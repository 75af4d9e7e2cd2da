using ClipSae.Clip.Checkpoints;
using ClipSae.WeightConversion.Weights;

namespace ClipSae.WeightConversion.Targets;

/// <summary>The text tower alone, under the names of <c>transformers</c>, without and with the projection.</summary>
public sealed record TextEncoderTarget()
    : ConversionTarget("text-encoder", "ComfyUI and other image generators (the second file where the projection is asked for)")
{
    private const string Projection = "text_projection.weight";

    public override IReadOnlyList<string> Loadable => ["text_encoder.safetensors", "text_encoder_with_projection.safetensors"];

    public override int Tensors(PlainWeights weights) =>
        2 * weights.Shapes.Count(weight => !weight.Key.StartsWith("visual.", StringComparison.Ordinal));

    public override void Write(ConversionMaterial material, string folder)
    {
        TensorSink.Safetensors(Path.Combine(folder, Loadable[0]), Text(material), material);
        TensorSink.Safetensors(
            Path.Combine(folder, Loadable[1]),
            Text(material).Concat(material.HuggingFace().Where(tensor => tensor.Layout.Name == Projection)),
            material
        );
    }

    private static IEnumerable<WrittenTensor> Text(ConversionMaterial material) =>
        material.HuggingFace().Where(tensor => tensor.Layout.Name.StartsWith(HuggingFaceKeys.Text, StringComparison.Ordinal));
}
