using ClipSae.Artifacts.Tests;
using ClipSae.Pipeline;
using Microsoft.Extensions.Time.Testing;

namespace ClipSae.ObjectStorage.Tests;

public sealed class S3InventoryTests(SharedServer shared) : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Objects_are_listed_with_length_and_time_and_removed()
    {
        using var store = new ObjectStore(await shared.NewBucketAsync(_folder.Path), TimeProvider.System);
        var sut = new S3Inventory(store);
        await store.WriteAsync("blobs/sha256/ab/abc", "12345"u8.ToArray());
        await store.WriteAsync("runs/run/events/00000001.json", "[]"u8.ToArray());

        var item = (await sut.ListAsync("blobs/")).ShouldHaveSingleItem();
        await sut.RemoveAsync(item.Key);

        (item.Key, item.Length).ShouldBe(("blobs/sha256/ab/abc", 5));
        item.Written.ShouldBeInRange(TimeProvider.System.GetUtcNow().AddMinutes(-5), TimeProvider.System.GetUtcNow().AddMinutes(5));
        (await store.ListAsync("")).Select(found => found.Key).ShouldBe(["runs/run/events/00000001.json"]);
    }

    [Fact]
    public async Task What_a_pruning_left_that_was_stopped_half_way_is_no_run_and_goes_with_the_next()
    {
        using var store = new ObjectStore(await shared.NewBucketAsync(_folder.Path), TimeProvider.System);
        await store.WriteAsync("runs/half/events/00000003.json", "[]"u8.ToArray());
        await store.WriteAsync("blobs/sha256/ab/abc", "12345"u8.ToArray());
        var sut = new Pruner(new S3EventStore(store), new S3Inventory(store), new FakeTimeProvider(TimeProvider.System.GetUtcNow() + PrunePlan.Untouched + TimeSpan.FromMinutes(10)));

        await sut.RemoveAsync(await sut.PlanAsync(null, new HashSet<string>()));

        (await store.ListAsync("")).ShouldBeEmpty();
    }
}
