namespace ClipSae.Artifacts;

/// <summary>
/// Objects under keys: paths with slashes, the same in memory, in a folder and in a bucket. Readers see an object whole or not at all.
/// Everything that a pipeline remembers is kept through this port, artifacts excepted, whose adapters know their content's digest.
/// </summary>
public interface IObjectStore
{
    /// <summary>Names an object for people: a path, or a key and its bucket.</summary>
    string Describe(string key);

    /// <summary>Reads a small object whole; null if there is none.</summary>
    Task<byte[]?> ReadAsync(string key, CancellationToken cancel = default);

    /// <summary>Writes a small object, replacing an earlier one.</summary>
    /// <exception cref="UserErrorException">The disk is full, or the store refuses.</exception>
    Task WriteAsync(string key, ReadOnlyMemory<byte> content, CancellationToken cancel = default);

    /// <summary>
    /// Writes a small object only where none has this key. Of several writers that race, in whatever process, one gets true.
    /// </summary>
    /// <exception cref="UserErrorException">The disk is full, or the store refuses.</exception>
    Task<bool> TryCreateAsync(string key, ReadOnlyMemory<byte> content, CancellationToken cancel = default);

    /// <summary>Length of an object in bytes; null if there is none.</summary>
    Task<long?> LengthAsync(string key, CancellationToken cancel = default);

    /// <summary>
    /// Objects whose keys begin with a prefix, in the keys' ordinal order; what killed writers left in a folder is among them.
    /// </summary>
    /// <param name="isDeep">False lists what a folder would: keys up to the next <c>/</c>, those that continue ending in it.</param>
    Task<IReadOnlyList<StoredObject>> ListAsync(string prefix, bool isDeep = true, CancellationToken cancel = default);

    /// <summary>Removes an object; it need not be there.</summary>
    Task RemoveAsync(string key, CancellationToken cancel = default);

    /// <summary>Writes an object from a file, replacing an earlier one.</summary>
    /// <param name="isOwn">Whether the file is the caller's own, so that it may be moved; its path is free afterwards.</param>
    /// <returns>The content's digest and length in bytes.</returns>
    /// <exception cref="UserErrorException">The file cannot be read, or the disk is full.</exception>
    Task<(string Digest, long Length)> PutFileAsync(string key, string path, bool isOwn, CancellationToken cancel = default);

    /// <summary>Local path of a file with an object's content, to be read and not changed; null if there is no such object.</summary>
    /// <param name="length">The object's length in bytes.</param>
    /// <param name="scratch">A folder of the caller for the content, where the store keeps no files of this machine.</param>
    Task<string?> FetchFileAsync(string key, long length, string scratch, CancellationToken cancel = default);
}
