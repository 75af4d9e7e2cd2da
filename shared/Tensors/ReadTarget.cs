using TorchSharp;

namespace ClipSae.Tensors;

/// <summary>A contiguous tensor to be filled from a file.</summary>
/// <param name="Name">Its name in the file.</param>
/// <param name="Offset">First of its bytes in the file.</param>
internal readonly record struct ReadTarget(torch.Tensor Tensor, string Name, long Offset);
