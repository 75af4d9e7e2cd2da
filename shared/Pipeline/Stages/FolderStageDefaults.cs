using System.Text.Json;
using System.Text.Json.Nodes;
using ClipSae.Artifacts;
using ClipSae.Contracts;

namespace ClipSae.Pipeline;

/// <summary>Defaults in a folder: <c>stages/defaults/{stage}.json</c>.</summary>
public sealed class FolderStageDefaults(string root) : IStageDefaults
{
    private readonly string _defaults = Path.Combine(Path.GetFullPath(root), "stages", "defaults");

    public Task TellAsync(string stage, JsonObject defaults, CancellationToken cancel = default)
    {
        AtomicFile.Write(PathOf(stage), JsonSerializer.SerializeToUtf8Bytes(defaults, ContractJson.Options));
        return Task.CompletedTask;
    }

    public async Task<JsonObject?> FindAsync(string stage, CancellationToken cancel = default) =>
        File.Exists(PathOf(stage)) ? JsonNode.Parse(await File.ReadAllBytesAsync(PathOf(stage), cancel))!.AsObject() : null;

    private string PathOf(string stage) => Path.Combine(_defaults, stage + ".json");
}
