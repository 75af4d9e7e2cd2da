using System.Runtime.InteropServices;
using System.Text;

namespace ClipSae.Tensors.Installation;

/// <summary>The machine's cards, as the CUDA driver reports them; libtorch's own figures are not in the binding.</summary>
/// <remarks>CUDA driver API. 0 is success everywhere.</remarks>
public static unsafe partial class CudaCards
{
    private const string Driver = "libcuda.so.1";
    private const int MaxNameLength = 256;

    /// <summary>Whether the machine has an NVIDIA card that this process may use, as far as files show: nothing is loaded for it.</summary>
    public static bool SeemThere => File.Exists("/dev/nvidiactl") || File.Exists("/dev/dxg");

    /// <summary>The newest CUDA that the driver supports, as 1000 × major + 10 × minor; null without a driver.</summary>
    public static int? DriverVersion => Asked<int?>(() => GetVersion(out var version) == 0 ? version : null);

    /// <summary>Every card that this process may use, by its number; empty without a driver.</summary>
    public static IReadOnlyList<CudaCard> All() =>
        Asked<IReadOnlyList<CudaCard>>(() =>
        {
            if (Initialize(0) != 0 || GetCount(out var count) != 0)
            {
                return [];
            }

            return [.. Enumerable.Range(0, count).Select(Card).OfType<CudaCard>()];
        }) ?? [];

    /// <returns>Bytes in use on the card, by whatever process; null without a driver or where it refuses.</returns>
    public static long? Used(int index) =>
        Asked<long?>(() =>
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
        });

    private static CudaCard? Card(int index)
    {
        var name = stackalloc byte[MaxNameLength];
        return GetDevice(out var device, index) == 0 && GetName(name, MaxNameLength, device) == 0 && GetTotal(out var bytes, device) == 0
            ? new CudaCard(index, Encoding.UTF8.GetString(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(name)), (long)bytes)
            : null;
    }

    private static T? Asked<T>(Func<T?> ask)
    {
        try
        {
            return ask();
        }
        catch (Exception error) when (error is DllNotFoundException or EntryPointNotFoundException)
        {
            return default;
        }
    }

    [LibraryImport(Driver, EntryPoint = "cuInit")]
    private static partial int Initialize(uint flags);

    [LibraryImport(Driver, EntryPoint = "cuDriverGetVersion")]
    private static partial int GetVersion(out int version);

    [LibraryImport(Driver, EntryPoint = "cuDeviceGetCount")]
    private static partial int GetCount(out int count);

    [LibraryImport(Driver, EntryPoint = "cuDeviceGet")]
    private static partial int GetDevice(out int device, int ordinal);

    [LibraryImport(Driver, EntryPoint = "cuDeviceGetName")]
    private static partial int GetName(byte* name, int length, int device);

    [LibraryImport(Driver, EntryPoint = "cuDeviceTotalMem_v2")]
    private static partial int GetTotal(out nuint bytes, int device);

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
