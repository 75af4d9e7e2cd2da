using ClipSae.Hosting.Runs;
using ClipSae.Hosting.Service;
using Microsoft.AspNetCore.Http;

namespace ClipSae.Web.Runs;

/// <summary>
/// A run as server-sent events, from what <c>watch</c> reads: <c>board</c> with the stages as HTML whenever something changed, <c>end</c>
/// once it is over or no process works on it.
/// </summary>
internal sealed class LiveStream(ClipSaeRuntime runtime, WorkersAtWork workers, TimeProvider time)
{
    // Each follows a run of its own; a browser that opens many tabs must not use up the process.
    private const int MaxCount = 64;
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(400);

    // Proxies and browsers give up a connection that says nothing.
    private const int SilentIntervals = 40;
    private int _open;

    public async Task WriteAsync(HttpContext context, string run)
    {
        if (Interlocked.Increment(ref _open) > MaxCount)
        {
            Interlocked.Decrement(ref _open);
            context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            return;
        }

        try
        {
            context.Response.ContentType = "text/event-stream";
            await FollowAsync(context.Response, run, context.RequestAborted);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // The page was closed.
        }
        finally
        {
            Interlocked.Decrement(ref _open);
        }
    }

    private async Task FollowAsync(HttpResponse response, string run, CancellationToken cancel)
    {
        var board = new RunBoard();
        var changes = 0;
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var following = FoldAsync(run, board, () => Interlocked.Increment(ref changes), ending.Token);
        try
        {
            var pace = await runtime.PaceAsync(run, cancel);
            using var timer = new PeriodicTimer(Interval, time);
            for (var (told, silent, atWork) = (-1, 0, ""); !following.IsCompleted; await timer.WaitForNextTickAsync(cancel))
            {
                var (seen, present) = (Volatile.Read(ref changes), workers.On(run));
                var working = string.Join(
                    '\n',
                    present.Select(worker => $"{worker.Name} {worker.Device} {string.Join(' ', worker.Units)}")
                );
                if (seen != told || working != atWork)
                {
                    (told, silent, atWork) = (seen, 0, working);
                    await SendAsync(response, "board", Render(board, pace, present), cancel);
                }
                else if (++silent % SilentIntervals == 0)
                {
                    await response.WriteAsync(":\n\n", cancel);
                    await response.Body.FlushAsync(cancel);
                }
            }

            await SendAsync(response, "board", Render(board, pace, []), cancel);
            await SendAsync(response, "end", await OutcomeAsync(following), cancel);
        }
        finally
        {
            await ending.CancelAsync();
            await following.ContinueWith(
                _ => { },
                CancellationToken.None,
                TaskContinuationOptions.ExecuteSynchronously,
                TaskScheduler.Default
            );
        }
    }

    private string Render(RunBoard board, IReadOnlyDictionary<string, TimeSpan> pace, IReadOnlyList<WorkersAtWork.AtWork> present) =>
        board.Read(stages => LiveBoard.Render(stages, isEnded: false, time.GetUtcNow(), pace, present)).Text;

    /// <summary>ended, abandoned, or why the run cannot be followed.</summary>
    private static async Task<string> OutcomeAsync(Task<bool> following)
    {
        try
        {
            return await following ? "abandoned" : "ended";
        }
        catch (UserErrorException error)
        {
            return error.Message;
        }
    }

    /// <returns>Whether no process works on the run although it has not ended.</returns>
    private async Task<bool> FoldAsync(string run, RunBoard board, Action changed, CancellationToken cancel)
    {
        await foreach (var update in runtime.WatchAsync(run, cancel))
        {
            if (!board.Apply(update, time.GetUtcNow()))
            {
                return true;
            }

            changed();
        }

        return false;
    }

    // A line break would end the event's data: each line gets its own field.
    private static async Task SendAsync(HttpResponse response, string name, string data, CancellationToken cancel)
    {
        await response.WriteAsync($"event: {name}\n{string.Concat(data.Split('\n').Select(line => $"data: {line}\n"))}\n", cancel);
        await response.Body.FlushAsync(cancel);
    }
}
