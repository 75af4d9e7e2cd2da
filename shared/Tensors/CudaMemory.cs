using System.Runtime.InteropServices;

namespace ClipSae.Tensors;

/// <summary>Asks the CUDA driver how much of a GPU's memory is taken; libtorch's own figures are not in the binding.</summary>
/// <remarks>CUDA driver API: cuInit, cuDeviceGet, cuDevicePrimaryCtxRetain, cuCtxPushCurrent, cuMemGetInfo. 0 is success everywhere.</remarks>
internal static partial class CudaMemory
{
    private const string Driver = "libcuda.so.1";

    /// <returns>Bytes in use on the device, by whatever process; null without a driver or where it refuses.</returns>
    public static long? Used(int index)
    {
        try
        {
            // The primary context is the one that libtorch uses: keeping it a moment makes nothing new.
            if (Initialize(0) != 0 || GetDevice(out var device, index) != 0 || RetainContext(out var context, device) != 0)
            {
                return null;
            }

            try
            {
                if (PushContext(context) != 0)
                {
                    return null;
                }

                var isTold = GetMemory(out var free, out var total) == 0;
                _ = PopContext(out _);
                return isTold ? (long)(total - free) : null;
            }
            finally
            {
                _ = ReleaseContext(device);
            }
        }
        catch (Exception error) when (error is DllNotFoundException or EntryPointNotFoundException)
        {
            return null;
        }
    }

    [LibraryImport(Driver, EntryPoint = "cuInit")]
    private static partial int Initialize(uint flags);

    [LibraryImport(Driver, EntryPoint = "cuDeviceGet")]
    private static partial int GetDevice(out int device, int ordinal);

    [LibraryImport(Driver, EntryPoint = "cuDevicePrimaryCtxRetain")]
    private static partial int RetainContext(out nint context, int device);

    [LibraryImport(Driver, EntryPoint = "cuDevicePrimaryCtxRelease_v2")]
    private static partial int ReleaseContext(int device);

    [LibraryImport(Driver, EntryPoint = "cuCtxPushCurrent_v2")]
    private static partial int PushContext(nint context);

    [LibraryImport(Driver, EntryPoint = "cuCtxPopCurrent_v2")]
    private static partial int PopContext(out nint context);

    [LibraryImport(Driver, EntryPoint = "cuMemGetInfo_v2")]
    private static partial int GetMemory(out nuint free, out nuint total);
}
