namespace ClipSae.Pipeline.Stages;

/// <summary>Results of finished units, addressed by stage key.</summary>
public interface IStageResults
{
    /// <summary>The result with this key, or null where none was stored.</summary>
    Task<StoredResult?> FindAsync(string key, CancellationToken cancel = default);

    /// <summary>Stores a result; readers see it whole or not at all.</summary>
    Task SaveAsync(string key, StoredResult result, CancellationToken cancel = default);

    /// <summary>The key that a unit of this name had last, in any run; null where nothing is known. It serves explanations only.</summary>
    Task<string?> LastKeyAsync(string stage, string unit, CancellationToken cancel = default);

    /// <summary>Remembers the key that a unit of this name had last.</summary>
    Task RememberKeyAsync(string stage, string unit, string key, CancellationToken cancel = default);
}
