using ClipSae.Artifacts;
using Microsoft.Extensions.Logging;

namespace ClipSae.Hosting;

/// <summary>
/// Whether this worker can carry out units at all. One whose disk is full, or whose native libraries do not load, would fail unit after unit that
/// others could do: it takes none, says so when asked whether it is ready, and is back when its disk takes writing again.
/// </summary>
public sealed class WorkerFitness(ClipSaeOptions options, TimeProvider time, ILogger<WorkerFitness> log)
{
    // What must fit: a checkpoint's index and the like. A unit that then finds too little room leaves the worker out again.
    private const int ProbeBytes = 8 << 20;
    private static readonly TimeSpan BetweenProbes = TimeSpan.FromSeconds(10);
    private readonly Lock _gate = new();
    private string? _unfit;
    private long _since;
    private bool _isLasting;

    /// <summary>Why the worker takes no units; null where it takes them.</summary>
    public string? Unfit()
    {
        lock (_gate)
        {
            if (_unfit is null || _isLasting || time.GetElapsedTime(_since) < BetweenProbes)
            {
                return _unfit;
            }

            _since = time.GetTimestamp();
            if (!IsWritable())
            {
                return _unfit;
            }

            log.LogInformation("units are taken again: {DataFolder} takes writing", options.DataFolder);
            return _unfit = null;
        }
    }

    /// <summary>Takes no more units until what was wrong is over.</summary>
    internal void Leave(WorkerFaultException fault)
    {
        lock (_gate)
        {
            _unfit = fault.Message;
            _isLasting = !IsOfDisk(fault.InnerException!);
            _since = time.GetTimestamp();
        }
    }

    /// <summary>What is wrong with the worker rather than with its unit; null where it may be the unit.</summary>
    internal static WorkerFaultException? FaultIn(Exception error) =>
        IsOfDisk(error) || Causes(error).Any(cause => cause is DllNotFoundException) ? new WorkerFaultException(error.Message.ReplaceLineEndings(" "), error) : null;

    private static bool IsOfDisk(Exception error) => Causes(error).Any(DiskErrors.IsLasting);

    private static IEnumerable<Exception> Causes(Exception error)
    {
        for (var cause = error; cause is not null; cause = cause.InnerException)
        {
            yield return cause;
        }
    }

    private bool IsWritable()
    {
        var path = AtomicFile.TemporaryFor(Path.Combine(Path.GetFullPath(options.DataFolder), "probe"));
        try
        {
            File.WriteAllBytes(path, new byte[ProbeBytes]);
            return true;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return false;
        }
        finally
        {
            File.Delete(path);
        }
    }
}
