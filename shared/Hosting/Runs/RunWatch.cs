using System.Runtime.CompilerServices;
using ClipSae.Hosting.Settings;
using ClipSae.Pipeline.Events;

namespace ClipSae.Hosting.Runs;

/// <summary>Follows a run: through the feed where this process works on it, through its stream where another does.</summary>
internal sealed class RunWatch(
    IEventStore events,
    RunQueries queries,
    RunFeed feed,
    Func<string, bool> isFree,
    ClipSaeOptions options,
    TimeProvider time
)
{
    // A process that has appended the last event lets go of the run a moment later, and one that starts takes hold a moment earlier.
    private const int FreeLooksUntilAbandoned = 3;

    public async IAsyncEnumerable<RunUpdate> WatchAsync(string run, [EnumeratorCancellation] CancellationToken cancel)
    {
        using var subscription = feed.Subscribe(run);
        long version = 0;
        var freeLooks = 0;
        var look = true;
        while (true)
        {
            if (look)
            {
                var news = version == 0 ? await queries.EventsAsync(run, cancel) : await events.ReadAsync(run, version, cancel);
                foreach (var stored in news)
                {
                    version = stored.Sequence;
                    freeLooks = 0;
                    yield return new RunUpdate.Happened(stored);
                    if (stored.Event is RunEnded)
                    {
                        yield break;
                    }
                }

                freeLooks = !isFree(run) ? 0 : freeLooks + 1;
                if (freeLooks >= FreeLooksUntilAbandoned)
                {
                    yield return new RunUpdate.Abandoned();
                    yield break;
                }
            }

            look = true;
            while (subscription.TryRead(out var update))
            {
                look = false;
                switch (update)
                {
                    case RunUpdate.Progressed:
                        yield return update;
                        break;
                    case RunUpdate.Happened { Stored: var stored } when stored.Sequence == version + 1:
                        version = stored.Sequence;
                        yield return update;
                        if (stored.Event is RunEnded)
                        {
                            yield break;
                        }

                        break;
                    case RunUpdate.Stalled { Error: var error }:
                        throw error as UserErrorException
                            ?? new UserErrorException($"run {run} is stalled: {error.Message.Split('\n')[0]}", error);
                    case RunUpdate.Happened { Stored: var stored } when stored.Sequence > version + 1:
                        look = true;
                        break;
                }
            }

            if (look)
            {
                await subscription.WaitAsync(options.PollInterval, time, cancel);
            }
        }
    }
}
