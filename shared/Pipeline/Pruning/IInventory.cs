namespace ClipSae.Pipeline;

/// <summary>All that a data folder or bucket holds, for who makes room in it. A key is a path with slashes, the same in both.</summary>
public interface IInventory
{
    /// <summary>What lies under a prefix that ends in a slash, in ordinal order.</summary>
    Task<IReadOnlyList<InventoryItem>> ListAsync(string prefix, CancellationToken cancel = default);

    /// <summary>Removes one; it need not be there.</summary>
    Task RemoveAsync(string key, CancellationToken cancel = default);
}
