namespace ClipSae.ObjectStorage;

/// <summary>
/// Proves at start that the store can be used: the bucket is there, the keys may write, a write on a condition is refused where the object
/// exists, and so is content that arrives damaged.
/// </summary>
public static class StoreProbe
{
    /// <exception cref="UserErrorException">It cannot; the message says what to fix.</exception>
    public static async Task RequireUsableAsync(S3ObjectStore store, CancellationToken cancel = default)
    {
        if (!await store.HasBucketAsync(cancel))
        {
            throw new UserErrorException(
                $"the object store {store.Options.Endpoint} has no bucket {store.Options.Bucket}: "
                    + "create it, or name another in ClipSae:S3:Bucket"
            );
        }

        var key = $"probe/{Guid.NewGuid():N}";
        try
        {
            var isFirst = await store.TryCreateAsync(key, "first"u8.ToArray(), cancel);
            var isSecond = await store.TryCreateAsync(key, "second"u8.ToArray(), cancel);
            if (!isFirst || isSecond || await store.ReadAsync(key, cancel) is not { } stored || !stored.AsSpan().SequenceEqual("first"u8))
            {
                throw new UserErrorException(
                    $"the object store {store.Options.Endpoint} ignores conditional writes (If-None-Match: *): two writers could "
                        + "both write the same entry of a run's log; use a server that honours them (SeaweedFS, RustFS, Ceph, AWS)"
                );
            }

            if (!await store.RefusesDamageAsync(key, cancel))
            {
                throw new UserErrorException(
                    $"the object store {store.Options.Endpoint} ignores Content-MD5: it would store parts of artifacts that were "
                        + "damaged in transit; use a server that checks it (SeaweedFS, RustFS, Ceph, AWS)"
                );
            }
        }
        finally
        {
            await store.RemoveAsync(key, CancellationToken.None);
        }
    }
}
