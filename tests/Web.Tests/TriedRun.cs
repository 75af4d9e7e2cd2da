using ClipSae.Imaging.Decoding;
using ClipSae.Imaging.Pixels;
using ClipSae.Pipeline.Runs;

namespace ClipSae.Web.Tests;

/// <summary>A run that names the demo's base, which believes what is written, and made nothing of it.</summary>
internal static class TriedRun
{
    public const string Run = "tried";

    public static async Task TellAsync(ServedRuns served)
    {
        var folder = Path.Combine(AppContext.BaseDirectory, "Demo");
        var at = new DateTimeOffset(2026, 11, 28, 12, 0, 0, TimeSpan.Zero);
        var inputs = new Dictionary<string, ArtifactRef>
        {
            ["model:weights"] = await served.Runtime.Artifacts.PutFileAsync(
                Path.Combine(folder, "model.safetensors"),
                "model.safetensors",
                MediaTypes.Safetensors
            ),
            ["model:tokenizer"] = await served.Runtime.Artifacts.PutFileAsync(
                Path.Combine(folder, "bpe.txt.gz"),
                "bpe.txt.gz",
                "application/gzip"
            ),
        };
        var plan = new RunPlan([new StagePlan(ParameterSections.Evaluation, [], [new UnitPlan("all", [], [])], [])]);
        await served.TellAsync(Run, new RunStarted(Run, plan, new RunSpec(inputs, [])) { At = at }, new RunCompleted { At = at });
    }

    /// <summary>A picture of nothing, encoded.</summary>
    public static byte[] Grey() => PngEncoder.Encode(new RgbImage(96, 96, [.. Enumerable.Repeat((byte)150, 3 * 96 * 96)]));
}
