using TorchSharp;
using static TorchSharp.torch.nn.functional;

namespace ClipSae.Tensors;

/// <summary>Linear layers, by the quickest product that libtorch has for the processor.</summary>
public static class LinearLayer
{
    /// <summary>Below this many rows, laying out the weights again takes longer than the product.</summary>
    private const long FewRows = 64;

    /// <summary>
    /// x·Wᵀ + b, differentiable. In float32 on a processor it is written as a 1×1 convolution over channels-last memory, the same
    /// bytes: a convolution goes to oneDNN, which uses AVX-512 wherever it is, a matrix product to MKL, which does not on AMD
    /// processors and is half as fast there.
    /// </summary>
    /// <param name="x">[…, inputs].</param>
    /// <param name="weight">[outputs, inputs].</param>
    /// <param name="bias">[outputs], or none.</param>
    /// <returns>[…, outputs].</returns>
    public static torch.Tensor Apply(torch.Tensor x, torch.Tensor weight, torch.Tensor? bias = null)
    {
        var (inputs, outputs) = (weight.shape[1], weight.shape[0]);
        var rows = x.NumberOfElements / inputs;
        if (x.dtype != torch.float32 || weight.dtype != torch.float32 || x.device.type != DeviceType.CPU || rows < FewRows)
        {
            return linear(x, weight, bias);
        }

        using var scope = torch.NewDisposeScope();
        // A 1×1 kernel has nothing to dilate; but libtorch keeps undilated ones from oneDNN when there is one thread.
        return conv2d(ChannelsLast(x, rows, inputs), ChannelsLast(weight, 1, inputs, outputs), bias, dilation: [1, 2])
            .permute(0, 2, 3, 1)
            .reshape([.. x.shape[..^1], outputs])
            .MoveToOuterDisposeScope();
    }

    /// <summary>The same memory seen as [count, channels, height, 1], channels last.</summary>
    private static torch.Tensor ChannelsLast(torch.Tensor tensor, long height, long channels, long count = 1) =>
        tensor.reshape(count, height, 1, channels).permute(0, 3, 1, 2);
}
