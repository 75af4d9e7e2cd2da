using System.Text.Json.Nodes;
using ClipSae.TestKit.Commands;
using ClipSae.TestKit.Files;

namespace ClipSae.EndToEnd;

public sealed class SweepTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Every_combination_is_trained_and_compared_and_the_best_by_intervention_is_named()
    {
        await _folder.DrawWorldAsync(160, 0);
        string[] arguments =
        [
            "sweep",
            .. _folder.DemoInputs(),
            "--hooks",
            "mlp@0",
            "--variants",
            "topk,topk-tied",
            "--expansions",
            "1",
            "--k",
            "4,8",
            .. WholeRun.Set(
                "extraction.tokensPerImage=8",
                "sae.epochs=2",
                "sae.batchSize=256",
                "curation.pairs=32",
                "curation.randomDraws=1",
                "curation.salientShares=0.1"
            ),
        ];
        var sweep = await Command.RunAsync(arguments);

        sweep.Code.ShouldBe(0, sweep.Error);
        var autoencoders = sweep.Json["autoencoders"]!.AsArray().Select(row => row!.AsObject()).ToArray();
        autoencoders
            .Select(row => row["name"]!.GetValue<string>())
            .Order(StringComparer.Ordinal)
            .ShouldBe([
                "mlp@0,variant=topk,expansion=1,k=4",
                "mlp@0,variant=topk,expansion=1,k=8",
                "mlp@0,variant=topk-tied,expansion=1,k=4",
                "mlp@0,variant=topk-tied,expansion=1,k=8",
            ]);
        autoencoders.ShouldAllBe(row => row["l0"]!.GetValue<double>() > 0 && row["l0"]!.GetValue<double>() <= row["k"]!.GetValue<double>());
        autoencoders.Select(row => row["effect"]!.GetValue<double>()).ShouldBeInOrder(SortDirection.Descending);
        autoencoders.Single(row => row["best"]!.GetValue<bool>())["effect"]!
            .GetValue<double>()
            .ShouldBe(autoencoders[0]["effect"]!.GetValue<double>());
        sweep.Json["stages"]!
            .AsArray()
            .Select(stage => stage!["stage"]!.GetValue<string>())
            .Distinct()
            .ShouldBe(["embedding-extraction", "sae-training", "attack-curation", "report"]);
        File.Exists(sweep.Json["report"]!.GetValue<string>()).ShouldBeTrue();

        // One autoencoder more costs that one, and curation over all.
        var more = await Command.RunAsync([.. arguments.Select(argument => argument == "4,8" ? "4,8,16" : argument)]);
        more.Json["stages"]!
            .AsArray()
            .Select(stage => (Unit: stage!["unit"]!.GetValue<string>(), Cache: stage["cache"]!.GetValue<string>()))
            .Where(stage => stage.Unit.StartsWith("mlp@0", StringComparison.Ordinal))
            .ShouldAllBe(stage => stage.Cache == (stage.Unit.EndsWith("k=16", StringComparison.Ordinal) ? "miss" : "hit"));
    }

    [Fact]
    public async Task Autoencoders_of_captions_are_compared_without_curation()
    {
        await _folder.DrawWorldAsync(96, 0);
        var sweep = await WholeRun.SucceedAsync([
            "sweep",
            .. _folder.DemoInputs(),
            "--hooks",
            "text.mlp@0,text.residual@1,text-embedding",
            "--variants",
            "topk",
            "--expansions",
            "1",
            "--k",
            "4",
            .. WholeRun.Set("sae.epochs=2", "sae.batchSize=64"),
        ]);
        sweep.Json["stages"]!
            .AsArray()
            .Select(stage => stage!["stage"]!.GetValue<string>())
            .Distinct()
            .ShouldBe(["embedding-extraction", "sae-training", "report"]);
        var autoencoders = sweep.Json["autoencoders"]!.AsArray().Select(row => row!.AsObject()).ToArray();
        autoencoders
            .Select(row => row["name"]!.GetValue<string>())
            .Order(StringComparer.Ordinal)
            .ShouldBe(new[] { "text-embedding", "text.mlp@0", "text.residual@1" }.Select(hook => hook + ",variant=topk,expansion=1,k=4"));
        foreach (var metric in new[] { "explainedVariance", "zeroShotReconstructed", "monosemanticity" })
        {
            autoencoders.ShouldAllBe(row => row[metric]!.GetValue<double>() > -1, metric);
        }

        var statistics = JsonNode.Parse(
            File.ReadAllText(
                StoredOutputs.Fetch(
                    _folder,
                    await StoredOutputs.OfLatestAsync(_folder, "sae-training", "text.mlp@0,variant=topk,expansion=1,k=4"),
                    "statistics",
                    "statistics.json"
                )
            )
        )!;
        statistics["features"]!
            .AsArray()
            .SelectMany(feature => feature!["topImages"]!.AsArray())
            .ShouldAllBe(top => top!["caption"]!.GetValue<string>().Length > 0);
    }

    [Theory]
    [InlineData("not a positive whole number", "--k", "many")]
    [InlineData("variant", "--variants", "topp")]
    [InlineData("named twice", "--k", "16,16")]
    public async Task A_wrong_list_ends_with_code_2(string expected, params string[] arguments)
    {
        Directory.CreateDirectory(_folder.File("photos"));
        var model = Path.Combine(AppContext.BaseDirectory, "Demo", "model.safetensors");

        (
            await Command.RunAsync([
                "sweep",
                "--dataset",
                _folder.File("photos"),
                "--model",
                model,
                .. arguments,
                "--data",
                _folder.File("data"),
            ])
        ).ShouldRefuse(2, expected);
    }
}
