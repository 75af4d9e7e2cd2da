using System.Text.Json;
using System.Text.Json.Nodes;
using ClipSae.Contracts;
using ClipSae.Pipeline;

namespace ClipSae.ObjectStorage;

/// <summary>Defaults in an object store: <c>stages/defaults/{stage}.json</c>, and versions beside them.</summary>
public sealed class S3StageDefaults(ObjectStore store) : IStageDefaults
{
    public async Task TellAsync(string stage, JsonObject defaults, int? version = null, CancellationToken cancel = default)
    {
        await store.WriteAsync(KeyOf(stage), JsonSerializer.SerializeToUtf8Bytes(defaults, ContractJson.Options), cancel);
        if (version is { } known)
        {
            await store.WriteAsync(VersionKeyOf(stage), JsonSerializer.SerializeToUtf8Bytes(known), cancel);
        }
    }

    public async Task<int?> FindVersionAsync(string stage, CancellationToken cancel = default) =>
        await store.ReadAsync(VersionKeyOf(stage), cancel) is { } content ? JsonSerializer.Deserialize<int>(content) : null;

    public async Task<JsonObject?> FindAsync(string stage, CancellationToken cancel = default) =>
        await store.ReadAsync(KeyOf(stage), cancel) is { } content ? JsonNode.Parse(content)!.AsObject() : null;

    private static string VersionKeyOf(string stage) => $"stages/versions/{stage}.json";

    private static string KeyOf(string stage) => $"stages/defaults/{stage}.json";
}
