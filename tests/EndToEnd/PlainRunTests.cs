namespace ClipSae.EndToEnd;

/// <summary>The shortest command that a user gives: images and weights, and nothing to evaluate on.</summary>
public sealed class PlainRunTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Without_an_evaluation_set_the_tuned_model_is_made_and_nothing_is_scored()
    {
        (await Command.RunAsync(["make-dataset", _folder.At("world"), "--train", "0", "--tuning", "160", "--evaluation", "0"])).Code.ShouldBe(0);
        var run = await Command.RunAsync(
        [
            "run", "--dataset", _folder.At("world", "tuning"), "--model", Path.Combine(AppContext.BaseDirectory, "Demo", "model.safetensors"),
            "--tokenizer", Path.Combine(AppContext.BaseDirectory, "Demo", "bpe.txt.gz"), "--preset", "demo", "--data", _folder.At("data"), "--threads", "1", "--json",
            "--arms", "none", "--set", "extraction.hookPoints=mlp@0", "--set", "extraction.tokensPerImage=8", "--set", "sae.expansion=1", "--set", "sae.epochs=1", "--set", "sae.batchSize=256",
            "--set", "curation.pairs=32", "--set", "curation.attacks=32", "--set", "curation.naturalImages=4", "--set", "curation.randomDraws=1",
            "--set", "tuning.steps=4", "--set", "tuning.cleanBatch=16", "--set", "tuning.attackBatch=16", "--set", "tuning.validationInterval=4",
        ]);

        run.Code.ShouldBe(0, run.Error);
        run.Error.ShouldContain("no --evaluation NAME=FOLDER: base and tuned will not be scored");
        var report = run.Json["report"]!.GetValue<string>();
        File.Exists(Path.Combine(Path.GetDirectoryName(report)!, "tuned.safetensors")).ShouldBeTrue();
        (await File.ReadAllTextAsync(report, TestContext.Current.CancellationToken)).ShouldContain("No sets to evaluate on were given");
    }
}
