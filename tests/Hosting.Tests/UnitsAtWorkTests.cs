using ClipSae.Contracts;

namespace ClipSae.Hosting.Tests;

public class UnitsAtWorkTests
{
    [Fact]
    public async Task A_place_that_becomes_free_goes_to_the_unit_that_someone_waits_for()
    {
        var work = new UnitsAtWork(new ClipSaeOptions { UnitsAtOnce = 1 });
        var atWork = await work.TryTakeAsync(Unit("first", false), default);
        var bulk = work.TryTakeAsync(Unit("bulk", false), default);
        var interactive = work.TryTakeAsync(Unit("interactive", true), default);

        atWork!.Dispose();

        var next = await interactive;
        bulk.IsCompleted.ShouldBeFalse();
        next!.Dispose();
        (await bulk)!.Dispose();
    }

    [Fact]
    public async Task Who_leaves_the_line_takes_no_place()
    {
        var work = new UnitsAtWork(new ClipSaeOptions { UnitsAtOnce = 1 });
        var atWork = await work.TryTakeAsync(Unit("first", false), default);
        using var cancel = new CancellationTokenSource();
        var gone = work.TryTakeAsync(Unit("gone", true), cancel.Token);
        var stays = work.TryTakeAsync(Unit("stays", false), default);

        cancel.Cancel();
        await Should.ThrowAsync<OperationCanceledException>(() => gone);
        atWork!.Dispose();

        (await stays)!.Dispose();
        (await work.TryTakeAsync(Unit("gone", true), default))!.Dispose();
    }

    [Fact]
    public async Task A_unit_that_comes_twice_is_worked_on_once()
    {
        var work = new UnitsAtWork(new ClipSaeOptions { UnitsAtOnce = 4 });
        var first = await work.TryTakeAsync(Unit("same", false), default);
        var second = work.TryTakeAsync(Unit("same", true), default);
        second.IsCompleted.ShouldBeFalse();

        first!.Dispose();

        (await second).ShouldBeNull();
    }

    private static RunUnit Unit(string name, bool isInteractive) => new("run", "stage", name, [], new Dictionary<string, ArtifactRef>(), Interactive: isInteractive);
}
