using System.Collections.Concurrent;
using System.Threading.Channels;
using ClipSae.Pipeline.Coordination;
using ClipSae.Pipeline.Events;

namespace ClipSae.Hosting.Runs;

/// <summary>Hands what happens in this process to those who watch.</summary>
public sealed class RunFeed : IRunObserver, IProgress<UnitProgress>
{
    private readonly ConcurrentDictionary<Channel<RunUpdate>, string> _watchers = new();

    public void OnAppended(string run, IReadOnlyList<StoredEvent> events)
    {
        foreach (var stored in events)
        {
            Tell(run, new RunUpdate.Happened(stored));
        }
    }

    public void OnStalled(string run, Exception error) => Tell(run, new RunUpdate.Stalled(error));

    public void Report(UnitProgress value) => Tell(value.Run, new RunUpdate.Progressed(value));

    internal Subscription Subscribe(string run)
    {
        var channel = Channel.CreateUnbounded<RunUpdate>(new UnboundedChannelOptions { SingleReader = true });
        _watchers[channel] = run;
        return new Subscription(this, channel);
    }

    private void Tell(string run, RunUpdate update)
    {
        foreach (var (channel, watched) in _watchers)
        {
            if (watched == run)
            {
                channel.Writer.TryWrite(update);
            }
        }
    }

    internal sealed class Subscription(RunFeed feed, Channel<RunUpdate> channel) : IDisposable
    {
        public bool TryRead(out RunUpdate? update) => channel.Reader.TryRead(out update);

        /// <summary>Waits for an update, but no longer than the given time.</summary>
        public async Task WaitAsync(TimeSpan maxWait, TimeProvider time, CancellationToken cancel)
        {
            using var timeout = new CancellationTokenSource(maxWait, time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(cancel, timeout.Token);
            try
            {
                await channel.Reader.WaitToReadAsync(either.Token);
            }
            catch (OperationCanceledException) when (timeout.IsCancellationRequested && !cancel.IsCancellationRequested)
            {
                // Nothing came: the caller looks for itself.
            }
        }

        public void Dispose() => feed._watchers.TryRemove(channel, out _);
    }
}
