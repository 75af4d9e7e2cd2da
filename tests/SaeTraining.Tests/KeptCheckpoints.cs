using System.Text.Json.Nodes;
using ClipSae.Pipeline.Stages;

namespace ClipSae.SaeTraining.Tests;

/// <summary>Checkpoints in a temporary folder that tell when one is saved.</summary>
internal sealed class KeptCheckpoints(string folder) : ICheckpoints
{
    private Checkpoint? _latest;

    public List<long> Steps { get; } = [];

    public Action<int>? Saved { get; set; }

    public Task SaveAsync(IReadOnlyDictionary<string, string> filesByName, JsonObject state, CancellationToken cancel)
    {
        var files = new Dictionary<string, string>();
        foreach (var (name, path) in filesByName)
        {
            files[name] = Path.Combine(folder, $"{Steps.Count}-{name}");
            File.Copy(path, files[name]);
        }

        _latest = new Checkpoint(state, files);
        Steps.Add(state["step"]!.GetValue<long>());
        Saved?.Invoke(Steps.Count);
        return Task.CompletedTask;
    }

    public Task<Checkpoint?> LatestAsync(CancellationToken cancel) => Task.FromResult(_latest);
}
