using ClipSae.Pipeline.Events;
using ClipSae.Pipeline.Pruning;
using ClipSae.TestKit.Files;
using Microsoft.Extensions.Time.Testing;

namespace ClipSae.ObjectStorage.Tests;

public sealed class S3PrunerTests(SharedServer shared) : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task What_a_pruning_left_that_was_stopped_half_way_is_no_run_and_goes_with_the_next()
    {
        using var store = new S3ObjectStore(await shared.NewBucketAsync(_folder.Path), TimeProvider.System);
        await store.WriteAsync("runs/half/events/00000003.json", "[]"u8.ToArray());
        await store.WriteAsync("blobs/sha256/ab/abc", "12345"u8.ToArray());
        var sut = new Pruner(
            new EventStore(store),
            store,
            new FakeTimeProvider(TimeProvider.System.GetUtcNow() + PrunePlan.Untouched + TimeSpan.FromMinutes(10))
        );

        await sut.RemoveAsync(await sut.PlanAsync(null, new HashSet<string>()));

        (await store.ListAsync("")).ShouldBeEmpty();
    }
}
