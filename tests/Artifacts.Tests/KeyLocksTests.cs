using ClipSae.TestKit.Clocks;
using ClipSae.TestKit.Files;
using Microsoft.Extensions.Time.Testing;

namespace ClipSae.Artifacts.Tests;

public sealed class KeyLocksTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_key_has_one_holder_and_other_keys_are_free(bool isFolder)
    {
        var time = new FakeTimeProvider();
        var process = new ProcessKeyLocks();
        IKeyLocks Locks() => isFolder ? new FolderKeyLocks(_folder.Path, time) : process; // each as a process of its own
        var held = await Locks().HoldAsync("key", TestContext.Current.CancellationToken);
        (await Locks().HoldAsync("other", TestContext.Current.CancellationToken)).Dispose();

        var waiting = Locks().HoldAsync("key", TestContext.Current.CancellationToken);
        time.Advance(TimeSpan.FromSeconds(1));

        waiting.IsCompleted.ShouldBeFalse();
        held.Dispose();
        (await time.PassUntilAsync(waiting)).Dispose();
    }

    [Fact]
    public async Task Waiting_ends_when_it_is_cancelled()
    {
        using var cancel = new CancellationTokenSource();
        using var held = await new FolderKeyLocks(_folder.Path, TimeProvider.System).HoldAsync("key", cancel.Token);
        var waiting = new FolderKeyLocks(_folder.Path, TimeProvider.System).HoldAsync("key", cancel.Token);

        await cancel.CancelAsync();

        await Should.ThrowAsync<OperationCanceledException>(() => waiting);
    }
}
