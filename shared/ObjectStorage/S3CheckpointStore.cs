using ClipSae.Pipeline;

namespace ClipSae.ObjectStorage;

/// <summary>Checkpoints under <c>checkpoints/{key}/</c> of an object store: a unit that lost its worker goes on at another.</summary>
public sealed class S3CheckpointStore(ObjectStore store) : ICheckpointStore
{
    public ICheckpoints Open(string key, string scratch) => new S3Checkpoints(store, Prefix(key), scratch);

    public async Task ClearAsync(string key, CancellationToken cancel = default)
    {
        foreach (var found in await store.ListAsync(Prefix(key), cancel: cancel))
        {
            await store.RemoveAsync(found.Key, cancel);
        }
    }

    private static string Prefix(string key) => $"checkpoints/{key}/";
}
