namespace ClipSae.Artifacts;

/// <summary>
/// Locks on keys, so that what costs minutes is not computed twice at once. Correctness never rests on them: equal keys give equal bytes.
/// </summary>
public interface IKeyLocks
{
    /// <summary>
    /// Waits until no one else holds the key, and holds it until disposed. Who else: see the adapter. A process that dies holds nothing.
    /// </summary>
    Task<IDisposable> HoldAsync(string key, CancellationToken cancel = default);
}
