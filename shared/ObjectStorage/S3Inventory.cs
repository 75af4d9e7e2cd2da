using System.Globalization;
using ClipSae.Pipeline;

namespace ClipSae.ObjectStorage;

/// <summary>The objects of a bucket.</summary>
public sealed class S3Inventory(ObjectStore store) : IInventory
{
    public async Task<IReadOnlyList<InventoryItem>> ListAsync(string prefix, CancellationToken cancel = default) =>
        [.. (await store.ListAsync(prefix, cancel: cancel)).Select(found => new InventoryItem(found.Key, found.Length, Time(found.Written)))];

    public Task RemoveAsync(string key, CancellationToken cancel = default) => store.RemoveAsync(key, cancel);

    // An object of unknown age counts as new, so that it stays.
    private static DateTimeOffset Time(string written) =>
        DateTimeOffset.TryParse(written, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time : DateTimeOffset.MaxValue;
}
