using System.Collections.Concurrent;
using ClipSae.Hosting.Service;
using ClipSae.Pipeline.Events;
using ClipSae.Web.Shell;

namespace ClipSae.Web.Records;

/// <summary>Reads runs for pages. What has ended does not change: the last few such runs are kept.</summary>
internal sealed class RunReader(ClipSaeRuntime runtime)
{
    // Of runs with ten thousand units each a few dozen megabytes together.
    private const int Kept = 8;
    private readonly ConcurrentQueue<RunRecord> _ended = [];

    /// <exception cref="MissingPageException">There is no such run.</exception>
    /// <exception cref="UserErrorException">Its events cannot be read.</exception>
    public async Task<RunRecord> ReadAsync(string run, CancellationToken cancel)
    {
        if (_ended.FirstOrDefault(record => record.Run == run) is { } known)
        {
            return known;
        }

        try
        {
            RunName.Require(run);
        }
        catch (UserErrorException error)
        {
            throw new MissingPageException(error.Message);
        }

        var events = await runtime.Events.ReadAsync(run, 0, cancel);
        if (events.Count == 0)
        {
            throw new MissingPageException($"There is no run {run} here.");
        }

        var record = RunRecord.Of(run, events);
        if (record.State.End is not null)
        {
            _ended.Enqueue(record);
            while (_ended.Count > Kept)
            {
                _ended.TryDequeue(out _);
            }
        }

        return record;
    }
}
