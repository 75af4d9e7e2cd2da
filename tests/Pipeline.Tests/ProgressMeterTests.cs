using ClipSae.Pipeline.Stages;
using Microsoft.Extensions.Time.Testing;

namespace ClipSae.Pipeline.Tests;

public class ProgressMeterTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly List<UnitProgress> _shown = [];

    [Fact]
    public void Rate_and_remaining_time_follow_from_what_was_done_since_the_first_report()
    {
        var meter = CreateSut();

        // Goes on from a checkpoint at 500: those were not done just now.
        meter.Report(new StageProgress(500, 1000, "steps"));
        for (var step = 510; step <= 600; step += 10)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            meter.Report(new StageProgress(step, 1000, "steps"));
        }

        var last = _shown[^1];
        last.Rate!.Value.ShouldBe(10, 1e-9);
        last.Remaining!.Value.TotalSeconds.ShouldBe(40, 1e-6); // 400 steps at 10 a second
    }

    [Fact]
    public void A_few_reports_a_second_are_shown_and_always_the_last()
    {
        var meter = CreateSut();
        for (var step = 0; step <= 1000; step++)
        {
            meter.Report(new StageProgress(step, 1000, "steps", new Dictionary<string, double> { ["loss"] = step }));
            _time.Advance(TimeSpan.FromMilliseconds(1));
        }

        _shown.Count.ShouldBeInRange(4, 8);
        _shown[^1].Done.ShouldBe(1000);
        _shown[^1].Values["loss"].ShouldBe(1000);
    }

    [Fact]
    public void A_change_of_speed_is_followed()
    {
        var meter = CreateSut();
        meter.Report(new StageProgress(0, 100_000, "images"));
        for (var second = 1; second <= 60; second++)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            meter.Report(new StageProgress(second <= 30 ? second * 10 : 300 + ((second - 30) * 100), 100_000, "images"));
        }

        _shown[^1].Rate!.Value.ShouldBeInRange(95, 100);
    }

    // Curation counts ablations, then pictures: the slow ones say nothing of the quick ones.
    [Fact]
    public void Another_thing_that_is_counted_has_a_pace_of_its_own()
    {
        var meter = CreateSut();
        meter.Report(new StageProgress(0, 2, "ablations"));
        _time.Advance(TimeSpan.FromSeconds(60));
        meter.Report(new StageProgress(1, 2, "ablations"));
        meter.Report(new StageProgress(0, 1000, "images"));
        _shown[^1].Remaining.ShouldBeNull();
        _time.Advance(TimeSpan.FromSeconds(1));
        meter.Report(new StageProgress(100, 1000, "images"));

        _shown[^1].Rate!.Value.ShouldBe(100, 1e-9);
        _shown[^1].Remaining!.Value.TotalSeconds.ShouldBe(9, 1e-6);
    }

    private ProgressMeter CreateSut() =>
        new(new RunUnit("run", "stage", "all", [], new Dictionary<string, ArtifactRef>()), new Collector(_shown), _time);

    private sealed class Collector(List<UnitProgress> shown) : IProgress<UnitProgress>
    {
        public void Report(UnitProgress value) => shown.Add(value);
    }
}
