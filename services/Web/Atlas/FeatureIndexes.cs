using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using ClipSae.Contracts;
using ClipSae.Hosting;
using ClipSae.Pipeline;
using ClipSae.Results;
using Microsoft.Extensions.Logging;

namespace ClipSae.Web;

/// <summary>Indexes of autoencoders' features: computed once, one at a time, and kept as results under a key of their own, so that every process finds them.</summary>
internal sealed class FeatureIndexes(ClipSaeRuntime runtime, AtlasShelf shelf, TimeProvider time, ILogger log) : IAsyncDisposable
{
    private const string Stage = "feature-index";
    private const string Output = "index";
    private readonly CancellationTokenSource _ending = new();
    private readonly SemaphoreSlim _turn = new(1, 1);
    private readonly ConcurrentDictionary<string, Work> _works = new(StringComparer.Ordinal);

    /// <summary>Where an index stands.</summary>
    /// <param name="Index">The index; null before it is there.</param>
    /// <param name="Done">Share that is computed; null where it is not being computed.</param>
    /// <param name="Problem">Why it could not be computed.</param>
    public sealed record Standing(FeatureIndex? Index, double? Done, string? Problem);

    /// <summary>Whether the run kept the activations that an index is computed from.</summary>
    public static bool CanCompute(AtlasVolume volume) => ActivationShards.Of(volume.Record, volume.Statistics.Hook).Count > 0;

    public async Task<Standing> FindAsync(AtlasVolume volume, CancellationToken cancel)
    {
        var key = Parts(volume).Key();
        if (_works.TryGetValue(key, out var work))
        {
            return new Standing(work.Index, work.Computing.IsCompleted ? null : work.Done, work.Problem);
        }

        if (await runtime.Results.FindAsync(key, cancel) is not { } stored || !await runtime.Artifacts.ExistsAsync(stored.Outputs[Output].Digest, cancel))
        {
            return new Standing(null, null, null);
        }

        var index = await ResultFormats.FeatureIndex.ReadAsync(stored.Outputs[Output], runtime.Artifacts.FetchAsync, cancel);
        _works.TryAdd(key, new Work { Index = index });
        return new Standing(index, null, null);
    }

    /// <summary>Begins to compute an index where that is not under way.</summary>
    public void Start(AtlasVolume volume)
    {
        var parts = Parts(volume);
        var key = parts.Key();
        var work = new Work();
        if (_works.TryGetValue(key, out var earlier) && earlier.Problem is not null)
        {
            _works.TryUpdate(key, work, earlier);
        }

        if (ReferenceEquals(_works.GetOrAdd(key, work), work))
        {
            work.Computing = Task.Run(() => ComputeAsync(volume, parts, work));
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        await Task.WhenAll(_works.Values.Select(work => work.Computing));
        _ending.Dispose();
        _turn.Dispose();
    }

    private async Task ComputeAsync(AtlasVolume volume, StageKeyParts parts, Work work)
    {
        var cancel = _ending.Token;
        try
        {
            await _turn.WaitAsync(cancel);
            try
            {
                var began = time.GetTimestamp();
                var (activations, pictures) = (await shelf.ActivationsAsync(volume, cancel), await shelf.PicturesAsync(volume.Record, cancel));
                var index = FeatureIndexing.Compute(volume.Autoencoder, activations, pictures, FeatureIndexing.Budget, done => work.Done = done, cancel);
                var artifact = await runtime.Artifacts.PutBytesAsync(ResultFormats.FeatureIndex.Write(index), $"{volume.Unit.Unit}.{Stage}.json", ResultFormats.FeatureIndex.MediaType, cancel);
                await runtime.Results.SaveAsync(
                    parts.Key(),
                    new StoredResult(parts, volume.Unit.Unit, volume.Record.Run, new Dictionary<string, ArtifactRef> { [Output] = artifact }, [], time.GetElapsedTime(began).TotalSeconds, time.GetUtcNow()),
                    cancel);
                work.Index = index;
            }
            finally
            {
                _turn.Release();
            }
        }
        catch (OperationCanceledException)
        {
            work.Problem = "stopped before its end";
        }
        catch (Exception error)
        {
            // Nobody waits for it: the page says what happened.
            log.LogError(error, "the index of {Run}/{Unit} cannot be computed", volume.Record.Run, volume.Unit.Unit);
            work.Problem = error is UserErrorException ? error.Message : $"{error.GetType().Name}: {error.Message.ReplaceLineEndings(" ")}";
        }
    }

    private static StageKeyParts Parts(AtlasVolume volume)
    {
        var inputs = new Dictionary<string, string>(StringComparer.Ordinal) { ["sae"] = volume.Unit.Outputs["sae"].Digest };
        foreach (var (name, activations, ids) in ActivationShards.Of(volume.Record, volume.Statistics.Hook))
        {
            (inputs[$"activations/{name}"], inputs[$"ids/{name}"]) = (activations.Digest, ids.Digest);
        }

        foreach (var (name, shard) in volume.Record.State.Start!.Inputs.Where(input => input.Key.StartsWith(RunPlanner.ShardPrefix, StringComparison.Ordinal)))
        {
            inputs[name] = shard.Digest;
        }

        return new StageKeyParts(Stage, FeatureIndexing.Version, new JsonObject { ["budget"] = FeatureIndexing.Budget }, inputs);
    }

    private sealed class Work
    {
        public Task Computing { get; set; } = Task.CompletedTask;

        public double Done { get; set; }

        public FeatureIndex? Index { get; set; }

        public string? Problem { get; set; }
    }
}
