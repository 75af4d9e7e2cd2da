using System.Text.Json.Nodes;
using ClipSae.Artifacts;
using ClipSae.Cli.Output;
using ClipSae.Pipeline.Runs;
using ClipSae.Results;
using ClipSae.Results.Autoencoders;
using ClipSae.Results.Curation;
using ClipSae.TestKit.Files;
using Spectre.Console;

namespace ClipSae.Cli.Tests;

public sealed class SweepTableTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task What_ablation_costs_and_monosemanticity_stand_beside_what_chance_would_give()
    {
        var store = new FolderArtifactStore(_folder.Path);
        var (before, ablation) = (new AttackAccuracy(0.9, 0.2, 0.7), new AttackAccuracy(0.87, 0.5, 0.3));
        AttackAccuracy[] random = [new(0.9, 0.2, 0.7), new(0.88, 0.2, 0.7)];
        var salient = new SalientFindings(
            "mlp@0",
            "mlp@0",
            0.1,
            0.5,
            8,
            [],
            [],
            [],
            [new("mlp@0", "mlp@0", 0.1, 64, 60, 7, before, ablation, random, 0.25, true)],
            [],
            [],
            [],
            new NeuronAblation(ablation, random)
        );
        var artifact = await store.PutBytesAsync(ResultFormats.Salient.Write(salient), "salient", ResultFormats.Salient.MediaType);
        var summary = new RunSummary(
            "r",
            RunState.Fold([
                new RunStarted(
                    "r",
                    new RunPlan([Plan("sae-training", "mlp@0"), Plan("attack-curation", "all")]),
                    new RunSpec(new Dictionary<string, ArtifactRef>(), [])
                )
                {
                    At = DateTimeOffset.UnixEpoch,
                },
                Finished(
                    "sae-training",
                    "mlp@0",
                    [],
                    ResultFormats.AutoencoderMetrics.ToJson(
                        new AutoencoderMetrics(0.1, 0.9, 0.95, 4, 0, 0, 30, "topk", 64, 4, 30, 270, 1000)
                        {
                            Monosemanticity = 0.413,
                            MonosemanticityBaseline = 0.382,
                        }
                    )
                ),
                Finished("attack-curation", "all", new Dictionary<string, ArtifactRef> { ["salient"] = artifact }, []),
            ])
        );
        var table = (await SweepTable.ReadAsync(summary, store, TestContext.Current.CancellationToken)).ShouldNotBeNull();

        using var written = new StringWriter();
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Ansi = AnsiSupport.No, Out = new AnsiConsoleOutput(written) });
        console.Profile.Width = 200;
        table.Write(console);
        var answer = new JsonObject();
        table.AddTo(answer);

        // 0.87 and the mean of 0.9 and 0.88, each less 0.9.
        written.ToString().ShouldContain("-3.0 %");
        written.ToString().ShouldContain("-1.0 %");
        written.ToString().ShouldContain("any images are 0.382 alike");
        answer["autoencoders"]![0]!["cleanChangeRandom"]!.GetValue<double>().ShouldBe(-0.01, 1e-9);
    }

    private static StagePlan Plan(string stage, string unit) => new(stage, [], [new UnitPlan(unit, [], [])], []);

    private static UnitFinished Finished(string stage, string unit, Dictionary<string, ArtifactRef> outputs, JsonObject metrics) =>
        new(stage, unit, "w", "key", outputs, metrics, new CacheOutcome(CacheKind.Miss, "new"), 1, DateTimeOffset.UnixEpoch)
        {
            At = DateTimeOffset.UnixEpoch,
        };
}
