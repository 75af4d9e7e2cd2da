using System.Text.Json.Nodes;

namespace ClipSae.EndToEnd;

/// <summary>The demo on a budget of seconds: every stage is real, only smaller.</summary>
internal static class TinyDemo
{
    private static readonly string[] Budget =
    [
        "demo", "--images", "240", "--evaluation-images", "40", "--arms", "none,penalise", "--seeds", "1",
    ];

    public static IEnumerable<string> Arguments(string data, params string[] more) => [.. Budget, "--data", data, "--threads", "1", "--json", .. more];

    /// <summary>Digests of every output of every finished unit of a run, by stage, unit and output; the report, which tells of times, left out.</summary>
    public static async Task<SortedDictionary<string, string>> DigestsAsync(string data, string run)
    {
        var events = (await Command.RunAsync(["events", run, "--data", data, "--json"])).Json["events"]!.AsArray();
        var digests = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var happened in events.Select(stored => stored!["event"]!.AsObject()).Where(happened => happened["outputs"] is JsonObject))
        {
            var (stage, unit) = (happened["stage"]!.GetValue<string>(), happened["unit"]!.GetValue<string>());
            foreach (var (output, artifact) in happened["outputs"]!.AsObject().Where(_ => stage != "report"))
            {
                digests[$"{stage}/{unit}:{output}"] = artifact!["digest"]!.GetValue<string>();
            }
        }

        return digests;
    }
}
