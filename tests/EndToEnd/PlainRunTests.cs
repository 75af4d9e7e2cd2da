using ClipSae.TestKit.Commands;
using ClipSae.TestKit.Files;

namespace ClipSae.EndToEnd;

/// <summary>The shortest command that a user gives: images and weights, and nothing to evaluate on.</summary>
public sealed class PlainRunTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Without_an_evaluation_set_the_tuned_model_is_made_and_nothing_is_scored()
    {
        var run = await RunAsync();

        run.Error.ShouldContain("no --evaluation NAME=FOLDER: base and tuned will not be scored");
        var report = run.Json["report"]!.GetValue<string>();
        var tuned = Path.Combine(Path.GetDirectoryName(report)!, "tuned.safetensors");
        var embedded = await WholeRun.SucceedAsync([
            "embed",
            "--model",
            tuned,
            "--text",
            "a photo of a cat",
            "--data",
            _folder.File("data"),
            "--json",
        ]); // the vocabulary is next to the weights
        var named = await Command.RunAsync([
            "embed",
            "--model",
            "latest",
            "--text",
            "a photo of a cat",
            "--data",
            _folder.File("data"),
            "--json",
        ]);
        named.Json["texts"]!.ToJsonString().ShouldBe(embedded.Json["texts"]!.ToJsonString());
        named.Json["model"]!.GetValue<string>().ShouldBe(tuned);
        var card = await File.ReadAllTextAsync(
            Path.Combine(Path.GetDirectoryName(report)!, "README.md"),
            TestContext.Current.CancellationToken
        );
        card.ShouldContain("`tuned.safetensors`");
        File.Exists(Path.Combine(Path.GetDirectoryName(report)!, "open_clip_config.json")).ShouldBeTrue();
        (await File.ReadAllTextAsync(report, TestContext.Current.CancellationToken)).ShouldContain("No sets to evaluate on were given");
    }

    [Fact]
    public async Task Activations_that_were_removed_to_make_room_are_computed_again_by_a_replay()
    {
        var run = (await RunAsync()).Json["runId"]!.GetValue<string>();
        var digests = await TinyDemo.DigestsAsync(_folder.File("data"), run);

        var pruned = await Command.RunAsync(["prune", "--drop", "extraction", "--data", _folder.File("data"), "--json"]);
        var replayed = await Command.RunAsync(["replay", run, "--from", "sae", .. _folder.Places()]);

        pruned.Code.ShouldBe(0, pruned.Error);
        pruned.Json["bytes"]!.GetValue<long>().ShouldBeGreaterThan(1 << 20);
        replayed.Code.ShouldBe(0, replayed.Error);
        replayed.Json["stages"]!
            .AsArray()
            .Where(stage => stage!["cache"]!.GetValue<string>() == "miss")
            .Select(stage => stage!["stage"]!.GetValue<string>())
            .ShouldBe(["embedding-extraction", "report"]);
        (await TinyDemo.DigestsAsync(_folder.File("data"), replayed.Json["runId"]!.GetValue<string>())).ShouldBe(digests);

        string[] both = [run, replayed.Json["runId"]!.GetValue<string>()];
        var again = await WholeRun.SucceedAsync(["replay", .. both, "--from", "report", "--data", _folder.File("data"), "--json"]);
        again.Json["runs"]!.AsArray().Select(one => one!["status"]!.GetValue<string>()).ShouldBe(["done", "done"]);
        again.Json["runs"]!.AsArray().Select(one => one!["runId"]!.GetValue<string>()).Distinct().Except(both).Count().ShouldBe(2);
    }

    private async Task<CommandResult> RunAsync()
    {
        await _folder.DrawWorldAsync(160, 0);
        var run = await WholeRun.SucceedAsync([
            "run",
            .. _folder.DemoInputs(),
            "--arms",
            "none",
            .. WholeRun.Set(
                "extraction.hookPoints=mlp@0",
                "extraction.tokensPerImage=8",
                "sae.expansion=1",
                "sae.epochs=1",
                "sae.batchSize=256",
                "curation.pairs=32",
                "curation.attacks=32",
                "curation.naturalImages=4",
                "curation.randomDraws=1",
                "tuning.steps=16",
                "tuning.cleanBatch=16",
                "tuning.attackBatch=16",
                "tuning.validationInterval=4"
            ),
        ]);
        return run;
    }
}
