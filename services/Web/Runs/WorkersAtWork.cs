using ClipSae.Hosting.Service;
using Microsoft.Extensions.Logging;

namespace ClipSae.Web.Runs;

/// <summary>
/// Which workers are at work on a run, as they said last. Nobody waits for their answers, which come over the broker after two seconds; all
/// pages share them.
/// </summary>
internal sealed class WorkersAtWork(ClipSaeRuntime runtime, TimeProvider time, ILogger log)
{
    // A question reaches every worker there is.
    private static readonly TimeSpan BetweenQuestions = TimeSpan.FromSeconds(5);
    private readonly Lock _gate = new();
    private Task _asking = Task.CompletedTask;
    private long? _askedAt;
    private volatile IReadOnlyList<WorkerPresent> _known = [];

    /// <summary>A worker at work on a run.</summary>
    /// <param name="Name">Machine and process.</param>
    /// <param name="Device">The device that it computes on.</param>
    /// <param name="Threads">Threads of tensor work.</param>
    /// <param name="Units">Its units of the run, <c>stage/unit</c>.</param>
    public sealed record AtWork(string Name, string Device, int Threads, IReadOnlyList<string> Units);

    /// <summary>The workers that said last that they work on a run.</summary>
    public IReadOnlyList<AtWork> On(string run)
    {
        lock (_gate)
        {
            if (_asking.IsCompleted && (_askedAt is not { } at || time.GetElapsedTime(at) >= BetweenQuestions))
            {
                _asking = AskAsync();

                // This process knows at once what it does itself.
                _askedAt = _asking.IsCompleted ? null : time.GetTimestamp();
            }
        }

        var start = run + ": ";
        return
        [
            .. from worker in _known
            let units = worker
                .AtWork.Where(unit => unit.StartsWith(start, StringComparison.Ordinal))
                .Select(unit => unit[start.Length..])
                .ToArray()
            where units.Length > 0
            select new AtWork(worker.Worker, worker.Device, worker.Threads, units),
        ];
    }

    private async Task AskAsync()
    {
        try
        {
            _known = await runtime.WorkersAsync();
        }
        catch (Exception error)
        {
            // Who follows the run hears from there that a server is away.
            log.LogDebug(error, "the workers cannot be asked");
            _known = [];
        }
    }
}
