using System.Text.Json.Nodes;

namespace ClipSae.TestKit.Commands;

/// <summary>The demo on a budget of seconds: every stage is real, only smaller.</summary>
public static class TinyDemo
{
    /// <summary>Parameters that make every stage small.</summary>
    public static IReadOnlyList<string> Budget { get; } =
    [
        "--set",
        "extraction.hookPoints=mlp@0",
        "--set",
        "extraction.tokensPerImage=4",
        "--set",
        "sae.expansion=2",
        "--set",
        "sae.epochs=3",
        "--set",
        "sae.batchSize=256",
        "--set",
        "sae.checkpointInterval=5",
        "--set",
        "curation.pairs=24",
        "--set",
        "curation.attacks=64",
        "--set",
        "curation.naturalImages=4",
        "--set",
        "curation.randomDraws=1",
        "--set",
        "tuning.steps=16",
        "--set",
        "tuning.cleanBatch=16",
        "--set",
        "tuning.attackBatch=16",
        "--set",
        "tuning.checkpointInterval=3",
        "--set",
        "tuning.validationInterval=8",
        "--set",
        "evaluation.resamples=1000",
    ];

    public static IEnumerable<string> Arguments(string data, params string[] more) =>
        [
            "demo",
            "--images",
            "240",
            "--evaluation-images",
            "24",
            "--arms",
            "none,penalise",
            "--seeds",
            "1",
            "--threads",
            "1",
            "--json",
            .. Budget,
            "--data",
            data,
            .. more,
        ];

    /// <summary>
    /// Digests of every output of every finished unit of a run, by stage, unit and output; the report, which tells of times, left out.
    /// </summary>
    public static async Task<SortedDictionary<string, string>> DigestsAsync(
        string data,
        string run,
        IReadOnlyDictionary<string, string>? environment = null
    )
    {
        var events = (await Command.RunAsync(["events", run, "--data", data, "--json"], environment: environment)).Json[
            "events"
        ]!.AsArray();
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
