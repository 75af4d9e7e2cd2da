using System.Text.Json.Nodes;
using ClipSae.TestKit.Commands;
using ClipSae.TestKit.Files;

namespace ClipSae.EndToEnd;

/// <summary>What the commands of a test have in common: a drawn world, the model in <c>model</c> and one data folder.</summary>
internal static class WholeRun
{
    private static readonly string Demo = Path.Combine(AppContext.BaseDirectory, "Demo");

    /// <summary>Where a run is kept; on one thread its digests can be compared.</summary>
    public static string[] Places(this TemporaryFolder folder) => ["--data", folder.File("data"), "--threads", "1", "--json"];

    public static string[] Inputs(this TemporaryFolder folder) =>
        ["--dataset", folder.File("world", "tuning"), "--model", folder.File("model"), "--preset", "demo", .. folder.Places()];

    /// <summary>The same with the demo's model.</summary>
    public static string[] DemoInputs(this TemporaryFolder folder) =>
        [
            "--dataset",
            folder.File("world", "tuning"),
            "--model",
            Path.Combine(Demo, "model.safetensors"),
            "--tokenizer",
            Path.Combine(Demo, "bpe.txt.gz"),
            "--preset",
            "demo",
            .. folder.Places(),
        ];

    public static string[] CleanSet(this TemporaryFolder folder) =>
        ["--evaluation", $"clean={folder.File("world", "evaluation", "clean")}", .. Set("evaluation.resamples=1000")];

    public static string[] Set(params IEnumerable<string> assignments) =>
        [.. assignments.SelectMany(assignment => new[] { "--set", assignment })];

    /// <summary>Settings under which each stage does its whole job on next to nothing.</summary>
    public static IReadOnlyList<string> Smallest { get; } =
    [
        "sae.expansion=1",
        "curation.attacks=32",
        "curation.naturalImages=4",
        "tuning.steps=4",
        "tuning.cleanBatch=16",
        "tuning.attackBatch=16",
        "tuning.validationInterval=4",
    ];

    public static async Task<CommandResult> SucceedAsync(params string[] arguments)
    {
        var result = await Command.RunAsync(arguments);
        result.Code.ShouldBe(0, result.Error);
        return result;
    }

    public static Task DrawWorldAsync(this TemporaryFolder folder, int tuning, int evaluation) =>
        SucceedAsync("make-dataset", folder.File("world"), "--train", "0", "--tuning", $"{tuning}", "--evaluation", $"{evaluation}");

    /// <summary>Copies what a conversion wrote for others out of the store; gives the paths.</summary>
    public static string[] FetchFiles(this TemporaryFolder folder, JsonObject written) =>
        [
            .. written
                .Select(output => output.Key)
                .Where(name => name.StartsWith("files/", StringComparison.Ordinal))
                .Select(name => StoredOutputs.Fetch(folder, written, name, name["files/".Length..])),
        ];

    /// <summary>What a run scored is what the models of an evaluation, <c>base</c> and <c>tuned</c>, compute.</summary>
    /// <returns>The calibration of that evaluation's models.</returns>
    public static async Task<Dictionary<string, double>> ShouldScoreAsTheRunAsync(this TemporaryFolder folder, JsonNode scores)
    {
        var outputs = await StoredOutputs.OfLatestAsync(folder, "zero-shot-evaluation");
        var results = File.ReadAllText(StoredOutputs.Fetch(folder, outputs, "results", "results.json"));
        var (apart, together) = (Calibration(scores), Calibration(JsonNode.Parse(results)!));
        together["base"].ShouldBe(apart["base"], 1e-6);
        together["penalise.s0"].ShouldBe(apart["tuned"], 1e-6);
        return apart;
    }

    private static Dictionary<string, double> Calibration(JsonNode scores) =>
        scores["models"]!
            .AsArray()
            .ToDictionary(
                model => model!["name"]!.GetValue<string>(),
                model => model!["sets"]!["clean"]!["calibration"]!["expectedError"]!["value"]!.GetValue<double>()
            );
}
