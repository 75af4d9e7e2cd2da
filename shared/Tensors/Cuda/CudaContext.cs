using System.Collections.Concurrent;
using TorchSharp;

namespace ClipSae.Tensors.Cuda;

/// <summary>
/// The context of a device that libtorch computes in, its primary one; the driver's calls want it current on the thread that makes them.
/// </summary>
internal sealed class CudaContext
{
    // Kept as long as the process, as libtorch keeps it.
    private static readonly ConcurrentDictionary<int, Lazy<CudaContext>> Known = new();

    private readonly nint _handle;

    private CudaContext(int index)
    {
        CudaDriver.Check(CudaDriver.GetDevice(out var device, index), "cuDeviceGet");
        CudaDriver.Check(CudaDriver.GetAttribute(out var major, CudaDriver.CapabilityMajor, device), "cuDeviceGetAttribute");
        CudaDriver.Check(CudaDriver.GetAttribute(out var minor, CudaDriver.CapabilityMinor, device), "cuDeviceGetAttribute");
        ComputeCapability = (10 * major) + minor;
        CudaDriver.Check(CudaDriver.RetainContext(out _handle, device), "cuDevicePrimaryCtxRetain");
    }

    /// <summary>90 for 9.0.</summary>
    public int ComputeCapability { get; }

    /// <param name="device">A CUDA device that libtorch has computed on.</param>
    public static CudaContext Of(torch.Device device)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual((int)device.type, (int)DeviceType.CUDA);
        return Known.GetOrAdd(Math.Max(0, device.index), index => new Lazy<CudaContext>(() => new CudaContext(index))).Value;
    }

    public void MakeCurrent()
    {
        CudaDriver.Check(CudaDriver.GetCurrent(out var current), "cuCtxGetCurrent");
        if (current != _handle)
        {
            CudaDriver.Check(CudaDriver.SetCurrent(_handle), "cuCtxSetCurrent");
        }
    }
}
