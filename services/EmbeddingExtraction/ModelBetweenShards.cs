using ClipSae.Tensors;

namespace ClipSae.EmbeddingExtraction;

/// <summary>
/// Keeps a shard's model for the next one: shards follow each other within milliseconds and nearly always ask for the same model, which
/// takes as long to load as many images to compute. One a device. Where no shard asks for it, its memory is given back soon.
/// </summary>
internal sealed class ModelBetweenShards : IDisposable
{
    /// <summary>How long a model waits for another shard.</summary>
    public static readonly TimeSpan MaxDuration = TimeSpan.FromSeconds(10);

    private readonly Lock _gate = new();
    private readonly ITimer _timer;
    private readonly Dictionary<string, (string Key, LoadedModel Model)> _waiting = new(StringComparer.Ordinal);
    private bool _isClosed;

    public ModelBetweenShards(TimeProvider time) =>
        _timer = time.CreateTimer(_ => Free(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);

    /// <summary>The model that waits on the device under this key, now the caller's alone; null where it does not.</summary>
    public LoadedModel? Take(string device, string key)
    {
        LoadedModel other;
        lock (_gate)
        {
            if (!_waiting.Remove(device, out var waiting))
            {
                return null;
            }

            if (waiting.Key == key)
            {
                return waiting.Model;
            }

            other = waiting.Model;
        }

        // Another model is wanted: both at once might not fit.
        Free(other);
        return null;
    }

    /// <summary>Leaves a model for the next shard on its device; it is no longer the caller's.</summary>
    public void Keep(string device, string key, LoadedModel model)
    {
        LoadedModel? earlier;
        lock (_gate)
        {
            earlier =
                _isClosed ? model
                : _waiting.TryGetValue(device, out var waiting) ? waiting.Model
                : null;
            if (!_isClosed)
            {
                _waiting[device] = (key, model);
                _timer.Change(MaxDuration, Timeout.InfiniteTimeSpan);
            }
        }

        Free(earlier);
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _isClosed = true;
        }

        _timer.Dispose();
        Free();
    }

    private void Free()
    {
        LoadedModel[] models;
        lock (_gate)
        {
            models = [.. _waiting.Values.Select(waiting => waiting.Model)];
            _waiting.Clear();
        }

        foreach (var model in models)
        {
            Free(model);
        }
    }

    private static void Free(LoadedModel? model)
    {
        if (model is not null)
        {
            model.Dispose();
            NativeHeap.Trim();
        }
    }
}
