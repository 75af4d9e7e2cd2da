using ClipSae.Tensors;
using TorchSharp;

namespace ClipSae.WeightConversion.Weights;

/// <summary>A tensor of a file that is about to be written, made when its turn comes.</summary>
/// <param name="Layout">Name, type and sizes.</param>
/// <param name="Make">Gives the tensor in that type and those sizes; the caller owns it.</param>
internal sealed record WrittenTensor(TensorLayout Layout, Func<torch.Tensor> Make);
