namespace ClipSae.Artifacts;

/// <summary>Immutable content under its digest. What has once been put can be fetched by anyone who holds the reference.</summary>
public interface IArtifactStore
{
    /// <summary>Copies a file into the store; readers see it whole or not at all.</summary>
    /// <exception cref="UserErrorException">The file cannot be read, or the store's disk is full.</exception>
    Task<ArtifactRef> PutFileAsync(string path, string name, string mediaType, CancellationToken cancel = default);

    /// <summary>
    /// Moves a file of the caller's own making into the store, without copying where the store is on the same disk and without reading
    /// where its digest is known (<see cref="WrittenDigests"/>). The path is free afterwards.
    /// </summary>
    /// <exception cref="UserErrorException">The file cannot be read, or the store's disk is full.</exception>
    Task<ArtifactRef> TakeFileAsync(string path, string name, string mediaType, CancellationToken cancel = default);

    /// <summary>Puts content from memory into the store; readers see it whole or not at all.</summary>
    Task<ArtifactRef> PutBytesAsync(ReadOnlyMemory<byte> content, string name, string mediaType, CancellationToken cancel = default);

    /// <summary>
    /// Gives the local path of a verified, read-only file with the content; it may be memory-mapped and must not be changed.
    /// </summary>
    /// <exception cref="UserErrorException">The content is missing or no longer has its digest.</exception>
    Task<string> FetchAsync(ArtifactRef artifact, CancellationToken cancel = default);

    /// <summary>Whether content with this digest is in the store.</summary>
    async Task<bool> ExistsAsync(string digest, CancellationToken cancel = default) => await LengthAsync(digest, cancel) is not null;

    /// <summary>Length in bytes of the content with this digest; null where the store has none.</summary>
    Task<long?> LengthAsync(string digest, CancellationToken cancel = default);
}
