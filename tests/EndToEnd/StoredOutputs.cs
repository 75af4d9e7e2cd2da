using System.Text.Json.Nodes;
using ClipSae.TestKit.Commands;
using ClipSae.TestKit.Files;

namespace ClipSae.EndToEnd;

/// <summary>What the latest run of a test has in its data folder, <c>data</c>.</summary>
internal static class StoredOutputs
{
    /// <summary>Outputs of a finished unit of a stage.</summary>
    /// <param name="unit">Its name; null where the stage has one alone.</param>
    public static async Task<JsonObject> OfLatestAsync(TemporaryFolder folder, string stage, string? unit = null)
    {
        var events = (await Command.RunAsync(["events", "latest", "--data", folder.File("data"), "--json"])).Json["events"]!.AsArray();
        return events
            .Select(stored => stored!["event"]!.AsObject())
            .Single(happened =>
                happened["outputs"] is JsonObject
                && happened["stage"]!.GetValue<string>() == stage
                && (unit is null || happened["unit"]!.GetValue<string>() == unit)
            )["outputs"]!.AsObject();
    }

    /// <summary>Copies an output's content out of the store, to a path within the folder; gives the whole path.</summary>
    public static string Fetch(TemporaryFolder folder, JsonObject outputs, string name, string path)
    {
        var hex = outputs[name]!["digest"]!.GetValue<string>()["sha256:".Length..];
        var target = folder.File(path.Split('/'));
        Directory.CreateDirectory(Path.GetDirectoryName(target)!);
        File.Copy(folder.File("data", "blobs", "sha256", hex[..2], hex), target);
        return target;
    }
}
