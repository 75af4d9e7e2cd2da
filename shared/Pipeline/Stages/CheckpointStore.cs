using ClipSae.Artifacts;

namespace ClipSae.Pipeline.Stages;

/// <summary>
/// Checkpoints of units, under <c>checkpoints/{key}/</c>: a unit that lost its worker continues at another that reaches the store.
/// </summary>
public sealed class CheckpointStore(IObjectStore store)
{
    /// <summary>The checkpoints of one key.</summary>
    /// <param name="scratch">The unit's scratch folder: files from there may be moved instead of copied.</param>
    public ICheckpoints Open(string key, string scratch) => new Checkpoints(store, Prefix(key), scratch);

    /// <summary>Removes the checkpoints of a key.</summary>
    public async Task ClearAsync(string key, CancellationToken cancel = default)
    {
        foreach (var found in await store.ListAsync(Prefix(key), cancel: cancel))
        {
            await store.RemoveAsync(found.Key, cancel);
        }
    }

    private static string Prefix(string key) => $"checkpoints/{key}/";
}
