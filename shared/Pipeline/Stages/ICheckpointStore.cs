namespace ClipSae.Pipeline;

/// <summary>Where the checkpoints of units are.</summary>
public interface ICheckpointStore
{
    /// <summary>The checkpoints of one key.</summary>
    /// <param name="scratch">The unit's scratch folder: files from there may be moved instead of copied.</param>
    ICheckpoints Open(string key, string scratch);

    /// <summary>Removes the checkpoints of a key.</summary>
    Task ClearAsync(string key, CancellationToken cancel = default);
}
