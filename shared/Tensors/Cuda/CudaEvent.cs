using TorchSharp;

namespace ClipSae.Tensors.Cuda;

/// <summary>
/// A mark in the stream that libtorch computes on: one thread sets it behind what it has enqueued, another waits until the device has come
/// by.
/// </summary>
public sealed class CudaEvent : IDisposable
{
    private const uint WaitersSleep = 1,
        WithoutTime = 2;

    private readonly CudaContext _context;
    private readonly nint _handle;

    /// <exception cref="CudaException">The driver refuses.</exception>
    public CudaEvent(torch.Device device)
    {
        _context = CudaContext.Of(device);
        _context.MakeCurrent();
        CudaDriver.Check(CudaDriver.CreateEvent(out _handle, WaitersSleep | WithoutTime), "cuEventCreate");
    }

    /// <summary>Sets the mark behind everything enqueued so far.</summary>
    public void Record()
    {
        _context.MakeCurrent();
        CudaDriver.Check(CudaDriver.RecordEvent(_handle, 0), "cuEventRecord");
    }

    /// <summary>
    /// Returns when the device has done what lay before the mark; at once where it was never set. What failed there is thrown here.
    /// </summary>
    /// <exception cref="CudaException">A kernel before the mark failed.</exception>
    public void Wait()
    {
        _context.MakeCurrent();
        CudaDriver.Check(CudaDriver.WaitForEvent(_handle), "waiting for the device");
    }

    public void Dispose()
    {
        _context.MakeCurrent();
        _ = CudaDriver.DestroyEvent(_handle);
    }
}
