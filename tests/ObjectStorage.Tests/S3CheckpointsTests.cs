using System.Text.Json.Nodes;
using ClipSae.Artifacts.Tests;

namespace ClipSae.ObjectStorage.Tests;

public sealed class S3CheckpointsTests(SharedServer shared) : IAsyncLifetime
{
    private readonly TemporaryFolder _folder = new();
    private ObjectStore _store = null!;

    public async ValueTask InitializeAsync() => _store = new ObjectStore(await shared.NewBucketAsync(_folder.Path), TimeProvider.System);

    public ValueTask DisposeAsync()
    {
        _store.Dispose();
        _folder.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task The_latest_checkpoint_is_read_at_another_worker_and_older_ones_are_gone()
    {
        await SaveAsync("one", 1);
        await SaveAsync("two", 2);

        var latest = (await new S3CheckpointStore(_store).Open("key", _folder.File("elsewhere")).LatestAsync(CancellationToken.None))!;

        latest.State["step"]!.GetValue<int>().ShouldBe(2);
        File.ReadAllText(latest.Files["weights"]).ShouldBe("two");
        (await _store.ListAsync("checkpoints/")).Count.ShouldBe(2);
    }

    [Fact]
    public async Task A_checkpoint_without_its_index_is_not_there()
    {
        await _store.WriteAsync("checkpoints/key/00000001-abc/weights", "half"u8.ToArray());

        (await new S3CheckpointStore(_store).Open("key", _folder.Path).LatestAsync(CancellationToken.None)).ShouldBeNull();
    }

    [Fact]
    public async Task A_damaged_checkpoint_is_passed_over()
    {
        await SaveAsync("one", 1);
        var file = (await _store.ListAsync("checkpoints/")).Single(found => found.Key.EndsWith("/weights", StringComparison.Ordinal)).Key;
        await _store.WriteAsync(file, "0ne"u8.ToArray());

        (await new S3CheckpointStore(_store).Open("key", _folder.Path).LatestAsync(CancellationToken.None)).ShouldBeNull();
    }

    [Fact]
    public async Task Cleared_checkpoints_are_gone()
    {
        await SaveAsync("one", 1);

        await new S3CheckpointStore(_store).ClearAsync("key");

        (await _store.ListAsync("checkpoints/")).ShouldBeEmpty();
    }

    private async Task SaveAsync(string content, int step)
    {
        var path = Path.Combine(Directory.CreateDirectory(_folder.File("scratch")).FullName, "weights.bin");
        File.WriteAllText(path, content);
        await new S3CheckpointStore(_store).Open("key", _folder.File("scratch"))
            .SaveAsync(new Dictionary<string, string> { ["weights"] = path }, new JsonObject { ["step"] = step }, CancellationToken.None);
    }
}
