using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using TorchSharp;

namespace ClipSae.Sae.Kernels;

/// <summary>Addresses of memory that does not move: arrays on the pinned heap and CPU tensors.</summary>
internal static unsafe class PinnedArray
{
    /// <summary>An array whose elements keep their address for life.</summary>
    public static T[] Create<T>(int length)
        where T : unmanaged => GC.AllocateArray<T>(length, pinned: true);

    /// <summary>
    /// The address of a pinned array's first element; valid while the array is referenced, which an address alone does not do.
    /// </summary>
    public static T* Address<T>(T[] pinned)
        where T : unmanaged => (T*)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(pinned));

    /// <summary>The address of a contiguous CPU tensor's first element; valid while the tensor lives.</summary>
    public static T* Address<T>(torch.Tensor tensor)
        where T : unmanaged
    {
        if (!tensor.is_contiguous() || tensor.device_type != DeviceType.CPU || tensor.ElementSize != sizeof(T))
        {
            throw new ArgumentException($"a contiguous CPU tensor of {sizeof(T)}-byte elements is needed, not {tensor}", nameof(tensor));
        }

        using var first = tensor.flatten()[..1];
        return (T*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(first.bytes));
    }
}
