using ClipSae.Tensors;
using TorchSharp;

namespace ClipSae.ZeroShotEvaluation.Models;

/// <summary>Text embeddings of a request, as plain numbers: they outlive the model that gave them.</summary>
/// <param name="Values">Unit rows [texts, embed], row-major.</param>
/// <param name="Width">Values of a row.</param>
/// <param name="Cut">Texts that were longer than the model's context.</param>
internal sealed record TextTable(float[] Values, int Width, int Cut)
{
    /// <summary>[texts, embed], float32.</summary>
    public torch.Tensor ToTensor() => AlignedTensor.Of(Values, Values.Length / Width, Width);
}
