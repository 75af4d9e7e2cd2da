using ClipSae.Artifacts;
using ClipSae.Hosting.Bus;
using ClipSae.Hosting.Settings;
using ClipSae.Pipeline.Stages;
using Microsoft.Extensions.Logging;

namespace ClipSae.Hosting.Worker;

/// <summary>
/// Whether this worker can carry out units at all. One with too little disk, memory or device memory, or whose native libraries do not
/// load, would fail unit after unit that others could do: it takes none, says so when asked whether it is ready, and is back when what was
/// wrong is over.
/// </summary>
public sealed class WorkerFitness(ClipSaeOptions options, IEnumerable<DeviceProbe> probes, TimeProvider time, ILogger<WorkerFitness> log)
{
    // What must fit: a checkpoint's index and the like. A unit that then finds too little room leaves the worker out again.
    private const int ProbeBytes = 8 << 20;
    private static readonly TimeSpan BetweenProbes = TimeSpan.FromSeconds(10);
    private readonly Lock _gate = new();
    private WorkerFaultException? _fault;
    private long _since;

    /// <summary>Why the worker takes no units; null where it takes them.</summary>
    public string? Unfit()
    {
        lock (_gate)
        {
            if (_fault is null || time.GetElapsedTime(_since) < BetweenProbes)
            {
                return _fault?.Message;
            }

            _since = time.GetTimestamp();
            if (!_fault.IsOver())
            {
                return _fault.Message;
            }

            log.LogInformation("units are accepted again; the fault of this worker is over: {Reason}", _fault.Message);
            _fault = null;
            return null;
        }
    }

    /// <summary>Takes no more units until what was wrong is over.</summary>
    internal void Leave(WorkerFaultException fault)
    {
        lock (_gate)
        {
            _fault = fault;
            _since = time.GetTimestamp();
        }
    }

    /// <summary>Keeps the worker fit for the next unit: memory that the last one left goes back to the system once it is a lot.</summary>
    internal void Relieve() => probes.FirstOrDefault()?.Relieve?.Invoke();

    /// <summary>What is wrong with the worker rather than with its unit; null where it may be the unit.</summary>
    internal WorkerFaultException? FaultIn(Exception error)
    {
        Func<bool>? isOver = error switch
        {
            _ when DeviceFault.Causes(error).Any(cause => cause is DllNotFoundException) => () => false,
            _ when DeviceFault.Causes(error).Any(DiskErrors.IsOfMachine)
                    || (DeviceFault.Causes(error).Any(cause => cause is IOException) && !IsWritable()) => IsWritable,

            // Whether there is enough again shows when the next unit asks for it.
            _ when DeviceFault.IsMachineOutOfMemory(error) => () => true,
            _ when options.Device is { } own && !Computes(own) => () => Computes(own),
            _ => null,
        };
        return isOver is null ? null : new WorkerFaultException(error.Message.ReplaceLineEndings(" "), isOver, error);
    }

    private bool Computes(string device)
    {
        try
        {
            probes.FirstOrDefault()?.Require(device);
            return true;
        }
        catch (Exception error)
        {
            // Whatever a driver throws: the device does not compute.
            log.LogDebug(error, "{Device} does not compute", device);
            return false;
        }
    }

    private bool IsWritable()
    {
        try
        {
            var path = AtomicFile.TemporaryFor(Path.Combine(Path.GetFullPath(options.DataFolder), "probe"));
            try
            {
                File.WriteAllBytes(path, new byte[ProbeBytes]);
                return true;
            }
            finally
            {
                File.Delete(path);
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
