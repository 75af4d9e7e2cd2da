using System.Text.Json.Nodes;
using ClipSae.Artifacts;
using ClipSae.Pipeline.Stages;
using ClipSae.TestKit.Files;

namespace ClipSae.TestKit.Stores;

/// <summary>What checkpoints must do on every object store.</summary>
public abstract class CheckpointsContract : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    /// <summary>A store as another process would open it.</summary>
    protected abstract IObjectStore Objects();

    public virtual void Dispose()
    {
        _folder.Dispose();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task The_latest_checkpoint_is_read_at_another_worker_and_older_ones_are_gone()
    {
        await SaveAsync("one", 1);
        await SaveAsync("two", 2);

        var latest = (await LatestAsync("elsewhere"))!;

        latest.State["step"]!.GetValue<int>().ShouldBe(2);
        File.ReadAllText(latest.Files["weights"]).ShouldBe("two");
        (await Objects().ListAsync("checkpoints/")).Count.ShouldBe(2);
    }

    [Fact]
    public async Task A_file_of_the_scratch_folder_is_moved_and_another_is_copied()
    {
        var own = await SaveAsync("one", 1);
        var other = _folder.File("other.bin");
        File.WriteAllText(other, "two");
        await new CheckpointStore(Objects())
            .Open("key", Scratch("scratch"))
            .SaveAsync(new Dictionary<string, string> { ["weights"] = other }, [], CancellationToken.None);

        File.Exists(own).ShouldBeFalse();
        File.Exists(other).ShouldBeTrue();
    }

    [Fact]
    public async Task A_checkpoint_without_its_index_is_not_there()
    {
        await Objects().WriteAsync("checkpoints/key/00000001-abc/weights", "half"u8.ToArray());

        (await LatestAsync("scratch")).ShouldBeNull();
    }

    [Theory]
    [InlineData("{")]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("[]")]
    public async Task A_damaged_index_is_passed_over_and_the_checkpoint_before_it_is_taken(string content)
    {
        await SaveAsync("one", 1);
        await Objects().WriteAsync("checkpoints/key/00000009-abc.json", System.Text.Encoding.UTF8.GetBytes(content));

        (await LatestAsync("scratch"))!.State["step"]!.GetValue<int>().ShouldBe(1);
    }

    [Fact]
    public async Task A_damaged_checkpoint_is_passed_over()
    {
        await SaveAsync("one", 1);
        var file = (await Objects().ListAsync("checkpoints/"))
            .Single(found => found.Key.EndsWith("/weights", StringComparison.Ordinal))
            .Key;
        await Objects().WriteAsync(file, "0ne"u8.ToArray());

        (await LatestAsync("scratch")).ShouldBeNull();
    }

    [Fact]
    public async Task Cleared_checkpoints_are_gone()
    {
        await SaveAsync("one", 1);

        await new CheckpointStore(Objects()).ClearAsync("key");

        (await Objects().ListAsync("checkpoints/")).ShouldBeEmpty();
    }

    private string Scratch(string name) => Directory.CreateDirectory(_folder.File(name)).FullName;

    private Task<Checkpoint?> LatestAsync(string scratch) =>
        new CheckpointStore(Objects()).Open("key", Scratch(scratch)).LatestAsync(CancellationToken.None);

    private async Task<string> SaveAsync(string content, int step)
    {
        var path = Path.Combine(Scratch("scratch"), "weights.bin");
        File.WriteAllText(path, content);
        await new CheckpointStore(Objects())
            .Open("key", Scratch("scratch"))
            .SaveAsync(new Dictionary<string, string> { ["weights"] = path }, new JsonObject { ["step"] = step }, CancellationToken.None);
        return path;
    }
}
