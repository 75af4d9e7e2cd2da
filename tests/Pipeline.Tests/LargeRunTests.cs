using System.Runtime.InteropServices;
using ClipSae.Pipeline.Runs;

namespace ClipSae.Pipeline.Tests;

public partial class LargeRunTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 23, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Ten_thousand_units_fan_out_and_in()
    {
        var (first, last) = Play(10_000);

        first.Count.ShouldBe(10_000);
        last.ShouldHaveSingleItem()
            .ShouldBeOfType<RunUnit>()
            .Inputs.Keys.Count(name => name.StartsWith("all/", StringComparison.Ordinal))
            .ShouldBe(10_000);
    }

    [Fact]
    public void Folding_and_deciding_after_each_fact_is_no_quadratic_work()
    {
        Play(500);
        var small = Shortest(1_000);
        var large = Shortest(10_000);

        // Ten times the units: linear work (with its logarithms) takes 10 to 14 times the processor's time, quadratic work 100 times.
        (large / small).ShouldBeLessThan(40);
    }

    // Time of this thread alone, whatever else the machine does; the shortest of several tries is the one that the collector disturbed
    // least.
    private static double Shortest(int units) =>
        Enumerable
            .Range(0, 4)
            .Min(_ =>
            {
                var start = ThreadSeconds();
                Play(units);
                return ThreadSeconds() - start;
            });

    private static double ThreadSeconds()
    {
        const int ThreadProcessorTime = 3; // CLOCK_THREAD_CPUTIME_ID of Linux
        GetTime(ThreadProcessorTime, out var time).ShouldBe(0);
        return time.Seconds + (time.Nanoseconds / 1e9);
    }

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    private static partial int GetTime(int clock, out Timespec time);

    private readonly record struct Timespec(long Seconds, long Nanoseconds);

    /// <summary>A stage of many units and one over all of them, with the coordinator's look at the state after each fact.</summary>
    private static (IReadOnlyList<StageCommand> First, IReadOnlyList<StageCommand> Last) Play(int units)
    {
        var state = RunState.Empty.Apply(History.Start(History.Plan(units, 1), Now));
        var first = RunDecisions.Decide(state);
        state = RunDecisions.Record(first, Now).Aggregate(state, (before, requested) => before.Apply(requested));
        IReadOnlyList<StageCommand> decided = [];
        for (var unit = 0; unit < units; unit++)
        {
            state = state.Apply(History.Finished("s0", $"u{unit}", Now));
            decided = RunDecisions.Decide(state);
            if (RunDecisions.Conclude(state, Now) is not null)
            {
                throw new InvalidOperationException("the run ended before its last stage");
            }
        }

        return (first, decided);
    }
}
