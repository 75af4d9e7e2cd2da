using System.Text.Json;
using System.Text.Json.Nodes;
using ClipSae.Contracts;
using ClipSae.Pipeline;

namespace ClipSae.ObjectStorage;

/// <summary>Defaults in an object store: <c>stages/defaults/{stage}.json</c>.</summary>
public sealed class S3StageDefaults(ObjectStore store) : IStageDefaults
{
    public Task TellAsync(string stage, JsonObject defaults, CancellationToken cancel = default) =>
        store.WriteAsync(KeyOf(stage), JsonSerializer.SerializeToUtf8Bytes(defaults, ContractJson.Options), cancel);

    public async Task<JsonObject?> FindAsync(string stage, CancellationToken cancel = default) =>
        await store.ReadAsync(KeyOf(stage), cancel) is { } content ? JsonNode.Parse(content)!.AsObject() : null;

    private static string KeyOf(string stage) => $"stages/defaults/{stage}.json";
}
