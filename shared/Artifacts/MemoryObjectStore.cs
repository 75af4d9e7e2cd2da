namespace ClipSae.Artifacts;

/// <summary>Objects that live as long as the process: for tests and trials.</summary>
public sealed class MemoryObjectStore(TimeProvider time) : IObjectStore
{
    private readonly Dictionary<string, (byte[] Content, DateTimeOffset Written)> _objects = new(StringComparer.Ordinal);
    private readonly Lock _gate = new();

    public string Describe(string key) => $"{key} in memory";

    public Task<byte[]?> ReadAsync(string key, CancellationToken cancel = default)
    {
        lock (_gate)
        {
            return Task.FromResult(_objects.TryGetValue(key, out var found) ? [.. found.Content] : (byte[]?)null);
        }
    }

    public Task WriteAsync(string key, ReadOnlyMemory<byte> content, CancellationToken cancel = default)
    {
        lock (_gate)
        {
            _objects[key] = (content.ToArray(), time.GetUtcNow());
            return Task.CompletedTask;
        }
    }

    public Task<bool> TryCreateAsync(string key, ReadOnlyMemory<byte> content, CancellationToken cancel = default)
    {
        lock (_gate)
        {
            return Task.FromResult(_objects.TryAdd(key, (content.ToArray(), time.GetUtcNow())));
        }
    }

    public Task<long?> LengthAsync(string key, CancellationToken cancel = default)
    {
        lock (_gate)
        {
            return Task.FromResult(_objects.TryGetValue(key, out var found) ? found.Content.Length : (long?)null);
        }
    }

    public Task<IReadOnlyList<StoredObject>> ListAsync(string prefix, bool isDeep = true, CancellationToken cancel = default)
    {
        lock (_gate)
        {
            var found = _objects
                .Where(item => item.Key.StartsWith(prefix, StringComparison.Ordinal))
                .Select(item => new StoredObject(item.Key, item.Value.Content.Length, item.Value.Written));
            if (!isDeep)
            {
                found = found
                    .Select(item =>
                        item.Key.IndexOf('/', prefix.Length) is >= 0 and var end
                            ? new StoredObject(item.Key[..(end + 1)], 0, DateTimeOffset.MaxValue)
                            : item
                    )
                    .Distinct();
            }

            return Task.FromResult<IReadOnlyList<StoredObject>>([.. found.OrderBy(item => item.Key, StringComparer.Ordinal)]);
        }
    }

    public Task RemoveAsync(string key, CancellationToken cancel = default)
    {
        lock (_gate)
        {
            _objects.Remove(key);
            return Task.CompletedTask;
        }
    }

    public async Task<(string Digest, long Length)> PutFileAsync(string key, string path, bool isOwn, CancellationToken cancel = default)
    {
        var content = await File.ReadAllBytesAsync(path, cancel);
        await WriteAsync(key, content, cancel);
        if (isOwn)
        {
            File.Delete(path);
        }

        return (Digest.OfBytes(content), content.Length);
    }

    public async Task<string?> FetchFileAsync(string key, long length, string scratch, CancellationToken cancel = default)
    {
        if (await ReadAsync(key, cancel) is not { } content)
        {
            return null;
        }

        var path = Path.Combine(Directory.CreateDirectory(scratch).FullName, Guid.NewGuid().ToString("N"));
        await File.WriteAllBytesAsync(path, content, cancel);
        return path;
    }
}
