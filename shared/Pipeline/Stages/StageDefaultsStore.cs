using System.Text.Json;
using System.Text.Json.Nodes;
using ClipSae.Artifacts;

namespace ClipSae.Pipeline.Stages;

/// <summary>
/// What the workers' stages take where a run says nothing: workers report it when they start, and whoever plans a run without having the
/// stages reads it. <c>stages/defaults/{stage}.json</c>, and versions in <c>stages/versions</c>.
/// </summary>
public sealed class StageDefaultsStore(IObjectStore store)
{
    /// <summary>Reports the normalized default parameters of a stage, and the version of its algorithm where it is known.</summary>
    public async Task TellAsync(string stage, JsonObject defaults, int? version = null, CancellationToken cancel = default)
    {
        await store.WriteAsync(KeyOf(stage), JsonSerializer.SerializeToUtf8Bytes(defaults, ContractJson.Options), cancel);
        if (version is { } known)
        {
            await store.WriteAsync(VersionKeyOf(stage), JsonSerializer.SerializeToUtf8Bytes(known), cancel);
        }
    }

    /// <summary>The version that was reported of a stage last; null where none was.</summary>
    public async Task<int?> FindVersionAsync(string stage, CancellationToken cancel = default) =>
        await store.ReadAsync(VersionKeyOf(stage), cancel) is { } content ? JsonSerializer.Deserialize<int>(content) : null;

    /// <summary>What was reported of a stage last; null where no worker of it has ever started.</summary>
    public async Task<JsonObject?> FindAsync(string stage, CancellationToken cancel = default) =>
        await store.ReadAsync(KeyOf(stage), cancel) is { } content ? JsonNode.Parse(content)!.AsObject() : null;

    private static string VersionKeyOf(string stage) => $"stages/versions/{stage}.json";

    private static string KeyOf(string stage) => $"stages/defaults/{stage}.json";
}
