using System.Runtime.InteropServices;

namespace ClipSae.Tensors.Cuda;

/// <summary>The calls of the CUDA driver API that launching a kernel takes. 0 is success everywhere.</summary>
internal static unsafe partial class CudaDriver
{
    /// <summary>CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR and _MINOR.</summary>
    public const int CapabilityMajor = 75,
        CapabilityMinor = 76;

    /// <summary>CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES.</summary>
    public const int MaxDynamicSharedBytes = 8;

    private const string Library = "libcuda.so.1";

    /// <exception cref="CudaException">The call failed; the message names it and the driver's reason.</exception>
    public static void Check(int status, string call)
    {
        if (status != 0)
        {
            var name =
                GetErrorName(status, out var text) == 0
                    ? Marshal.PtrToStringUTF8((nint)text)
                    : status.ToString(System.Globalization.CultureInfo.InvariantCulture);
            throw new CudaException($"CUDA driver: {call} failed with {name}");
        }
    }

    [LibraryImport(Library, EntryPoint = "cuGetErrorName")]
    private static partial int GetErrorName(int status, out byte* text);

    [LibraryImport(Library, EntryPoint = "cuDeviceGet")]
    public static partial int GetDevice(out int device, int ordinal);

    [LibraryImport(Library, EntryPoint = "cuDeviceGetAttribute")]
    public static partial int GetAttribute(out int value, int attribute, int device);

    [LibraryImport(Library, EntryPoint = "cuDevicePrimaryCtxRetain")]
    public static partial int RetainContext(out nint context, int device);

    [LibraryImport(Library, EntryPoint = "cuCtxGetCurrent")]
    public static partial int GetCurrent(out nint context);

    [LibraryImport(Library, EntryPoint = "cuCtxSetCurrent")]
    public static partial int SetCurrent(nint context);

    /// <param name="flags">1: whoever waits sleeps; 2: no time is taken.</param>
    [LibraryImport(Library, EntryPoint = "cuEventCreate")]
    public static partial int CreateEvent(out nint marker, uint flags);

    [LibraryImport(Library, EntryPoint = "cuEventRecord")]
    public static partial int RecordEvent(nint marker, nint stream);

    [LibraryImport(Library, EntryPoint = "cuEventSynchronize")]
    public static partial int WaitForEvent(nint marker);

    [LibraryImport(Library, EntryPoint = "cuEventDestroy_v2")]
    public static partial int DestroyEvent(nint marker);

    [LibraryImport(Library, EntryPoint = "cuModuleLoadData")]
    public static partial int LoadModule(out nint module, byte* image);

    [LibraryImport(Library, EntryPoint = "cuModuleUnload")]
    public static partial int UnloadModule(nint module);

    [LibraryImport(Library, EntryPoint = "cuModuleGetFunction", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int GetFunction(out nint function, nint module, string name);

    [LibraryImport(Library, EntryPoint = "cuFuncSetAttribute")]
    public static partial int SetAttribute(nint function, int attribute, int value);

    [LibraryImport(Library, EntryPoint = "cuLaunchKernel")]
    public static partial int Launch(
        nint function,
        uint gridX,
        uint gridY,
        uint gridZ,
        uint blockX,
        uint blockY,
        uint blockZ,
        uint sharedBytes,
        nint stream,
        void** arguments,
        void** extra
    );
}
