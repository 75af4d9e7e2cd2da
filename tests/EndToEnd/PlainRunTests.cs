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
        var embedded = await Command.RunAsync([
            "embed",
            "--model",
            tuned,
            "--text",
            "a photo of a cat",
            "--data",
            _folder.File("data"),
            "--json",
        ]);
        embedded.Code.ShouldBe(0, embedded.Error); // the vocabulary lies beside the weights
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
        var replayed = await Command.RunAsync(["replay", run, "--from", "sae", "--data", _folder.File("data"), "--threads", "1", "--json"]);

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
        var again = await Command.RunAsync(["replay", .. both, "--from", "report", "--data", _folder.File("data"), "--json"]);
        again.Code.ShouldBe(0, again.Error);
        again.Json["runs"]!.AsArray().Select(one => one!["status"]!.GetValue<string>()).ShouldBe(["done", "done"]);
        again.Json["runs"]!.AsArray().Select(one => one!["runId"]!.GetValue<string>()).Distinct().Except(both).Count().ShouldBe(2);
    }

    private async Task<CommandResult> RunAsync()
    {
        (
            await Command.RunAsync(["make-dataset", _folder.File("world"), "--train", "0", "--tuning", "160", "--evaluation", "0"])
        ).Code.ShouldBe(0);
        var run = await Command.RunAsync([
            "run",
            "--dataset",
            _folder.File("world", "tuning"),
            "--model",
            Path.Combine(AppContext.BaseDirectory, "Demo", "model.safetensors"),
            "--tokenizer",
            Path.Combine(AppContext.BaseDirectory, "Demo", "bpe.txt.gz"),
            "--preset",
            "demo",
            "--data",
            _folder.File("data"),
            "--threads",
            "1",
            "--json",
            "--arms",
            "none",
            "--set",
            "extraction.hookPoints=mlp@0",
            "--set",
            "extraction.tokensPerImage=8",
            "--set",
            "sae.expansion=1",
            "--set",
            "sae.epochs=1",
            "--set",
            "sae.batchSize=256",
            "--set",
            "curation.pairs=32",
            "--set",
            "curation.attacks=32",
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
            "tuning.validationInterval=4",
        ]);
        run.Code.ShouldBe(0, run.Error);
        return run;
    }
}
