using System.Collections.Concurrent;
using System.Text;
using System.Text.Json;
using ClipSae.Contracts;
using ClipSae.Pipeline;

namespace ClipSae.ObjectStorage;

/// <summary>
/// Results in an object store: <c>stages/{key}/result.json</c>, with <c>stages/last/{stage}/{unit}</c> naming a unit's last key.
/// </summary>
/// <remarks>
/// A key is held within this process alone. Two workers that compute one key at once, after a network was cut, give equal
/// bytes under equal names; waiting for a lease of a worker that was killed would cost every recovery more than that.
/// </remarks>
public sealed class S3StageResults(ObjectStore store) : IStageResults
{
    private readonly ConcurrentDictionary<string, SemaphoreSlim> _held = new(StringComparer.Ordinal);

    public async Task<StoredResult?> FindAsync(string key, CancellationToken cancel = default)
    {
        if (await store.ReadAsync(ResultKey(key), cancel) is not { } content)
        {
            return null;
        }

        try
        {
            return JsonSerializer.Deserialize<StoredResult>(content, ContractJson.Options) ?? throw new JsonException("null");
        }
        catch (JsonException error)
        {
            throw new UserErrorException($"{ResultKey(key)} in {store.Options} is damaged ({StorageErrors.FirstLine(error.Message)}): remove the object and run again to recompute the unit", error);
        }
    }

    public Task SaveAsync(string key, StoredResult result, CancellationToken cancel = default) =>
        store.WriteAsync(ResultKey(key), JsonSerializer.SerializeToUtf8Bytes(result, ContractJson.Options), cancel);

    public async Task<string?> LastKeyAsync(string stage, string unit, CancellationToken cancel = default) =>
        await store.ReadAsync(LastKey(stage, unit), cancel) is { } content ? Encoding.UTF8.GetString(content) : null;

    public Task RememberKeyAsync(string stage, string unit, string key, CancellationToken cancel = default) =>
        store.WriteAsync(LastKey(stage, unit), Encoding.UTF8.GetBytes(key), cancel);

    public async Task<IDisposable> HoldAsync(string key, CancellationToken cancel = default)
    {
        var turn = _held.GetOrAdd(key, _ => new SemaphoreSlim(1, 1));
        await turn.WaitAsync(cancel);
        return new Held(turn);
    }

    private static string ResultKey(string key) => $"stages/{key}/result.json";

    private static string LastKey(string stage, string unit) => $"stages/last/{stage}/{unit}";

    private sealed class Held(SemaphoreSlim turn) : IDisposable
    {
        public void Dispose() => turn.Release();
    }
}
