using System.Text.Json.Nodes;

namespace ClipSae.Pipeline.Tests;

public sealed class FolderCheckpointsTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("clipsae-test-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task The_latest_checkpoint_is_read_back_and_older_ones_are_gone()
    {
        var checkpoints = CreateSut();
        await checkpoints.SaveAsync(Files("one"), new JsonObject { ["step"] = 1 }, CancellationToken.None);
        await checkpoints.SaveAsync(Files("two"), new JsonObject { ["step"] = 2 }, CancellationToken.None);

        var latest = (await CreateSut().LatestAsync(CancellationToken.None))!;

        latest.State["step"]!.GetValue<int>().ShouldBe(2);
        File.ReadAllText(latest.Files["weights"]).ShouldBe("two");
        Directory.GetDirectories(Path.Combine(_folder, "checkpoints")).Length.ShouldBe(1);
    }

    [Fact]
    public async Task A_damaged_checkpoint_is_passed_over()
    {
        var checkpoints = CreateSut();
        await checkpoints.SaveAsync(Files("one"), new JsonObject { ["step"] = 1 }, CancellationToken.None);
        var latest = (await checkpoints.LatestAsync(CancellationToken.None))!;
        File.WriteAllText(latest.Files["weights"], "tampered");

        (await checkpoints.LatestAsync(CancellationToken.None)).ShouldBeNull();
    }

    [Fact]
    public async Task A_checkpoint_that_was_being_gathered_is_not_seen()
    {
        Directory.CreateDirectory(Path.Combine(_folder, "checkpoints", ".half.tmp"));

        (await CreateSut().LatestAsync(CancellationToken.None)).ShouldBeNull();
    }

    private FolderCheckpoints CreateSut() => new(Path.Combine(_folder, "checkpoints"), Path.Combine(_folder, "scratch"));

    private Dictionary<string, string> Files(string content)
    {
        var path = Path.Combine(Directory.CreateDirectory(Path.Combine(_folder, "scratch")).FullName, "weights.bin");
        File.WriteAllText(path, content);
        return new Dictionary<string, string> { ["weights"] = path };
    }
}
