using System.Text.Json.Nodes;
using ClipSae.TestKit.Commands;
using ClipSae.TestKit.Files;

namespace ClipSae.EndToEnd;

/// <summary>Images alone, without labels or captions.</summary>
public sealed class RepairTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Images_alone_give_a_repaired_model_in_all_formats_and_print_on_them_is_looked_for()
    {
        (
            await Command.RunAsync(["make-dataset", _folder.File("world"), "--train", "0", "--tuning", "240", "--evaluation", "24"])
        ).Code.ShouldBe(0);
        File.Delete(_folder.File("world", "tuning", "captions.json"));

        var repair = await Command.RunAsync([
            "repair",
            "--model",
            Path.Combine(AppContext.BaseDirectory, "Demo", "model.safetensors"),
            "--tokenizer",
            Path.Combine(AppContext.BaseDirectory, "Demo", "bpe.txt.gz"),
            "--images",
            _folder.File("world", "tuning"),
            "--evaluation",
            $"attacked={_folder.File("world", "evaluation", "attacked")}",
            "--out",
            _folder.File("repaired"),
            "--data",
            _folder.File("data"),
            "--threads",
            "1",
            "--json",
            .. TinyDemo.Budget,
            "--set",
            "curation.families=[\"corner\"]",
        ]);

        repair.Code.ShouldBe(0, repair.Error);
        repair.Json["arms"]!.AsArray().Select(arm => arm!["name"]!.GetValue<string>()).ShouldBe(["distil"]);
        var events = await Command.RunAsync(["events", "latest", "--data", _folder.File("data"), "--json"]);
        events.Json["events"]!
            .AsArray()
            .Select(stored => stored!["event"]!["figures"]?["captions"]?["action"])
            .OfType<JsonNode>()
            .ShouldHaveSingleItem()
            .GetValue<string>()
            .ShouldBe("hide");
        foreach (var file in repair.Json["formats"]!["files"]!.AsObject().Select(file => file.Key))
        {
            File.Exists(_folder.File("repaired", file)).ShouldBeTrue(file);
        }

        repair.Json["formats"]!["files"]!.AsObject().Select(file => file.Key).ShouldContain("huggingface/model.safetensors");
    }
}
