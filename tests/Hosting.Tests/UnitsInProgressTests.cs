using ClipSae.Hosting.Settings;
using ClipSae.Hosting.Worker;
using Microsoft.Extensions.Time.Testing;

namespace ClipSae.Hosting.Tests;

public class UnitsInProgressTests
{
    [Fact]
    public async Task A_place_that_becomes_free_goes_to_the_unit_that_someone_waits_for()
    {
        var work = new UnitsInProgress(new ClipSaeOptions { UnitsAtOnce = 1 }, TimeProvider.System);
        var atWork = await work.TryTakeAsync(Unit("first", false), Timeout.InfiniteTimeSpan, default);
        var bulk = work.TryTakeAsync(Unit("bulk", false), Timeout.InfiniteTimeSpan, default);
        var interactive = work.TryTakeAsync(Unit("interactive", true), Timeout.InfiniteTimeSpan, default);

        atWork!.Dispose();

        var next = await interactive;
        bulk.IsCompleted.ShouldBeFalse();
        next!.Dispose();
        (await bulk)!.Dispose();
    }

    [Fact]
    public async Task Who_leaves_the_line_takes_no_place()
    {
        var work = new UnitsInProgress(new ClipSaeOptions { UnitsAtOnce = 1 }, TimeProvider.System);
        var atWork = await work.TryTakeAsync(Unit("first", false), Timeout.InfiniteTimeSpan, default);
        using var cancel = new CancellationTokenSource();
        var gone = work.TryTakeAsync(Unit("gone", true), Timeout.InfiniteTimeSpan, cancel.Token);
        var stays = work.TryTakeAsync(Unit("stays", false), Timeout.InfiniteTimeSpan, default);

        cancel.Cancel();
        await Should.ThrowAsync<OperationCanceledException>(() => gone);
        atWork!.Dispose();

        (await stays)!.Dispose();
        (await work.TryTakeAsync(Unit("gone", true), Timeout.InfiniteTimeSpan, default))!.Dispose();
    }

    [Fact]
    public async Task Who_finds_no_place_in_time_leaves_the_line()
    {
        var time = new FakeTimeProvider();
        var work = new UnitsInProgress(new ClipSaeOptions { UnitsAtOnce = 1 }, time);
        var atWork = await work.TryTakeAsync(Unit("first", false), Timeout.InfiniteTimeSpan, default);

        var late = work.TryTakeAsync(Unit("late", true), TimeSpan.FromMinutes(5), default);
        time.Advance(TimeSpan.FromMinutes(4));
        late.IsCompleted.ShouldBeFalse();
        time.Advance(TimeSpan.FromMinutes(1));

        await Should.ThrowAsync<TimeoutException>(() => late);
        atWork!.Dispose();
        (await work.TryTakeAsync(Unit("late", true), TimeSpan.FromMinutes(5), default))!.Dispose();
    }

    [Fact]
    public async Task A_unit_that_comes_twice_is_worked_on_once()
    {
        var work = new UnitsInProgress(new ClipSaeOptions { UnitsAtOnce = 4 }, TimeProvider.System);
        var first = await work.TryTakeAsync(Unit("same", false), Timeout.InfiniteTimeSpan, default);
        var second = work.TryTakeAsync(Unit("same", true), Timeout.InfiniteTimeSpan, default);
        second.IsCompleted.ShouldBeFalse();

        first!.Dispose();

        (await second).ShouldBeNull();
    }

    private static RunUnit Unit(string name, bool isInteractive) =>
        new("run", "stage", name, [], new Dictionary<string, ArtifactRef>(), Interactive: isInteractive);
}
