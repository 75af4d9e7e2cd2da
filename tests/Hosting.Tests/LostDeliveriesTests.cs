using ClipSae.Hosting.Bus;
using Microsoft.Extensions.Logging.Abstractions;

namespace ClipSae.Hosting.Tests;

/// <summary>Work that goes on after its delivery was lost, while the process stops.</summary>
public sealed class LostDeliveriesTests
{
    [Fact]
    public async Task Stopping_waits_for_work_that_goes_on_and_does_not_fail_where_its_outcome_cannot_be_sent()
    {
        var lost = new LostDeliveries(NullLogger<LostDeliveries>.Instance);
        var working = new TaskCompletionSource();
        lost.Keep(working.Task, "first/all");
        lost.Keep(Task.FromException(new IOException("the connection is closed")), "first/second");

        var ended = lost.EndedAsync(TestContext.Current.CancellationToken);

        ended.IsCompleted.ShouldBeFalse();
        working.SetException(new IOException("the connection is closed"));
        await ended;
        await lost.EndedAsync(TestContext.Current.CancellationToken);
    }
}
