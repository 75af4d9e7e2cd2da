using System.Text.Json;
using System.Text.Json.Nodes;
using ClipSae.Artifacts;
using ClipSae.Contracts;

namespace ClipSae.Pipeline;

/// <summary>Defaults in a folder: <c>stages/defaults/{stage}.json</c>.</summary>
public sealed class FolderStageDefaults(string root) : IStageDefaults
{
    private readonly string _defaults = Path.Combine(Path.GetFullPath(root), "stages", "defaults");

    private readonly string _versions = Path.Combine(Path.GetFullPath(root), "stages", "versions");

    public Task TellAsync(string stage, JsonObject defaults, int? version = null, CancellationToken cancel = default)
    {
        AtomicFile.Write(PathOf(stage), JsonSerializer.SerializeToUtf8Bytes(defaults, ContractJson.Options));
        if (version is { } known)
        {
            AtomicFile.Write(VersionPathOf(stage), JsonSerializer.SerializeToUtf8Bytes(known));
        }

        return Task.CompletedTask;
    }

    public async Task<int?> FindVersionAsync(string stage, CancellationToken cancel = default) =>
        File.Exists(VersionPathOf(stage)) ? JsonSerializer.Deserialize<int>(await File.ReadAllBytesAsync(VersionPathOf(stage), cancel)) : null;

    public async Task<JsonObject?> FindAsync(string stage, CancellationToken cancel = default) =>
        File.Exists(PathOf(stage)) ? JsonNode.Parse(await File.ReadAllBytesAsync(PathOf(stage), cancel))!.AsObject() : null;

    private string VersionPathOf(string stage) => Path.Combine(_versions, stage + ".json");

    private string PathOf(string stage) => Path.Combine(_defaults, stage + ".json");
}
