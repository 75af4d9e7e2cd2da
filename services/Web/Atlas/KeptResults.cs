using System.Collections.Concurrent;
using ClipSae.Hosting.Service;
using ClipSae.Pipeline.Stages;
using ClipSae.Results;
using Microsoft.Extensions.Logging;

namespace ClipSae.Web.Atlas;

/// <summary>
/// Results of one kind that are computed when they are asked for: once, one at a time, kept under a key of their own, so that every process
/// finds them.
/// </summary>
/// <param name="format">How they are stored.</param>
/// <param name="turn">Whose turn it is to compute, shared with the other kinds.</param>
internal sealed class KeptResults<T>(ClipSaeRuntime runtime, ResultFormat<T> format, SemaphoreSlim turn, TimeProvider time, ILogger log)
    : IAsyncDisposable
    where T : class
{
    private const string Output = "result";
    private readonly CancellationTokenSource _ending = new();
    private readonly ConcurrentDictionary<string, Work> _works = new(StringComparer.Ordinal);

    /// <summary>Where a result stands.</summary>
    /// <param name="Value">The result; null before it is there.</param>
    /// <param name="Done">Share that is computed; null where it is not being computed.</param>
    /// <param name="Problem">Why it could not be computed.</param>
    public sealed record Standing(T? Value, double? Done, string? Problem);

    /// <exception cref="UserErrorException">What is stored cannot be read.</exception>
    public async Task<Standing> FindAsync(StageKeyParts parts, CancellationToken cancel)
    {
        var key = parts.Key();
        if (_works.TryGetValue(key, out var work))
        {
            return new Standing(work.Value, work.Computing.IsCompleted ? null : work.Done, work.Problem);
        }

        if (
            await runtime.Results.FindAsync(key, cancel) is not { } stored
            || stored.Outputs.Values.SingleOrDefault() is not { } kept
            || !await runtime.Artifacts.ExistsAsync(kept.Digest, cancel)
        )
        {
            return new Standing(null, null, null);
        }

        var value = await format.ReadAsync(kept, runtime.Artifacts.FetchAsync, cancel);
        _works.TryAdd(key, new Work { Value = value });
        return new Standing(value, null, null);
    }

    /// <summary>Begins to compute a result where that is not under way.</summary>
    /// <param name="parts">What it follows from.</param>
    /// <param name="run">The run that it is of.</param>
    /// <param name="unit">What it is of in the run, for its name.</param>
    /// <param name="compute">Reports the share that is done, and stops when it is asked to.</param>
    public void Start(StageKeyParts parts, string run, string unit, Func<Action<double>, CancellationToken, Task<T>> compute)
    {
        var key = parts.Key();
        var work = new Work();
        if (_works.TryGetValue(key, out var earlier) && earlier.Problem is not null)
        {
            _works.TryUpdate(key, work, earlier);
        }

        if (ReferenceEquals(_works.GetOrAdd(key, work), work))
        {
            work.Stopping = CancellationTokenSource.CreateLinkedTokenSource(_ending.Token);
            work.Computing = Task.Run(() => ComputeAsync(parts, run, unit, compute, work));
        }
    }

    /// <summary>Stops what computes a result; nothing of it is kept.</summary>
    public async Task StopAsync(StageKeyParts parts)
    {
        if (_works.TryGetValue(parts.Key(), out var work) && work.Stopping is { } stopping)
        {
            await stopping.CancelAsync();
            await work.Computing;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        await Task.WhenAll(_works.Values.Select(work => work.Computing));
        foreach (var work in _works.Values)
        {
            work.Stopping?.Dispose();
        }

        _ending.Dispose();
    }

    private async Task ComputeAsync(
        StageKeyParts parts,
        string run,
        string unit,
        Func<Action<double>, CancellationToken, Task<T>> compute,
        Work work
    )
    {
        var cancel = work.Stopping!.Token;
        try
        {
            await turn.WaitAsync(cancel);
            try
            {
                var began = time.GetTimestamp();
                var value = await compute(done => work.Done = done, cancel);
                var artifact = await runtime.Artifacts.PutBytesAsync(
                    format.Write(value),
                    $"{unit}.{parts.Stage}.json",
                    format.MediaType,
                    cancel
                );
                await runtime.Results.SaveAsync(
                    parts.Key(),
                    new StoredResult(
                        parts,
                        unit,
                        run,
                        new Dictionary<string, ArtifactRef> { [Output] = artifact },
                        [],
                        time.GetElapsedTime(began).TotalSeconds,
                        time.GetUtcNow()
                    ),
                    cancel
                );
                work.Value = value;
            }
            finally
            {
                turn.Release();
            }
        }
        catch (OperationCanceledException)
        {
            work.Problem = "stopped before its end";
        }
        catch (Exception error)
        {
            // Nobody waits for it: the page says what happened.
            log.LogError(error, "{Stage} of {Run}/{Unit} cannot be computed", parts.Stage, run, unit);
            work.Problem = error is UserErrorException ? error.Message : $"{error.GetType().Name}: {error.Message.ReplaceLineEndings(" ")}";
        }
    }

    private sealed class Work
    {
        public Task Computing { get; set; } = Task.CompletedTask;

        public CancellationTokenSource? Stopping { get; set; }

        public double Done { get; set; }

        public T? Value { get; set; }

        public string? Problem { get; set; }
    }
}
