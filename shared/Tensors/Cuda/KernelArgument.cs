using System.Runtime.InteropServices;
using TorchSharp;

namespace ClipSae.Tensors.Cuda;

/// <summary>One argument of a kernel: the address of a tensor's first element, or a number, as its eight bytes at most.</summary>
public readonly partial struct KernelArgument
{
    // The driver reads as many bytes as the kernel's parameter has; little-endian, so a shorter number is the first of them.
    internal readonly long Bits;

    private KernelArgument(long bits) => Bits = bits;

    /// <summary>A contiguous tensor on the kernel's device; it must live until the kernel is launched. Null is a null pointer.</summary>
    public static implicit operator KernelArgument(torch.Tensor? tensor) => new(tensor is null ? 0 : Address(tensor));

    public static implicit operator KernelArgument(int number) => new((uint)number);

    public static implicit operator KernelArgument(long number) => new(number);

    public static implicit operator KernelArgument(float number) => new((uint)BitConverter.SingleToInt32Bits(number));

    private static long Address(torch.Tensor tensor) =>
        tensor.is_contiguous()
            ? DataPointer(tensor.Handle)
            : throw new ArgumentException(
                "a kernel takes contiguous tensors; "
                    + $"this one is [{string.Join(", ", tensor.shape)}] with strides [{string.Join(", ", tensor.stride())}]"
            );

    [LibraryImport("LibTorchSharp", EntryPoint = "THSTensor_data")]
    private static partial nint DataPointer(nint handle);
}
