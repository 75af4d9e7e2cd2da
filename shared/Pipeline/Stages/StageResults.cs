using System.Text;
using System.Text.Json;
using ClipSae.Artifacts;

namespace ClipSae.Pipeline.Stages;

/// <summary>Results as objects: <c>stages/{key}/result.json</c>, with <c>stages/last/{stage}/{unit}</c> naming a unit's last key.</summary>
public sealed class StageResults(IObjectStore store) : IStageResults
{
    public async Task<StoredResult?> FindAsync(string key, CancellationToken cancel = default)
    {
        if (await store.ReadAsync(ResultKey(key), cancel) is not { } content)
        {
            return null;
        }

        try
        {
            var stored = JsonSerializer.Deserialize<StoredResult>(content, ContractJson.Options) ?? throw new JsonException("null");
            var parameters = RenamedParameters.Current(stored.Parts.Stage, stored.Parts.Parameters);
            return stored with { Parts = stored.Parts with { Parameters = parameters } };
        }
        catch (JsonException error)
        {
            throw new UserErrorException(
                $"{store.Describe(ResultKey(key))} is damaged ({UserErrorException.FirstLine(error.Message)}): "
                    + "remove it and run again to recompute the unit",
                error
            );
        }
    }

    public Task SaveAsync(string key, StoredResult result, CancellationToken cancel = default) =>
        store.WriteAsync(ResultKey(key), JsonSerializer.SerializeToUtf8Bytes(result, ContractJson.Options), cancel);

    public async Task<string?> LastKeyAsync(string stage, string unit, CancellationToken cancel = default) =>
        await store.ReadAsync(LastKey(stage, unit), cancel) is { } content ? Encoding.UTF8.GetString(content) : null;

    public Task RememberKeyAsync(string stage, string unit, string key, CancellationToken cancel = default) =>
        store.WriteAsync(LastKey(stage, unit), Encoding.UTF8.GetBytes(key), cancel);

    private static string ResultKey(string key) => $"stages/{key}/result.json";

    private static string LastKey(string stage, string unit) => $"stages/last/{stage}/{unit}";
}
