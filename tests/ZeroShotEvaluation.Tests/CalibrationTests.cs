using ClipSae.Results.Evaluation;
using ClipSae.ZeroShotEvaluation.Statistics;

namespace ClipSae.ZeroShotEvaluation.Tests;

public sealed class CalibrationTests
{
    // Ten bins. (.9, 1]: two answers at .95, one right: |.5 − .95| = .45. (.5, .6]: two at .55, both right: |1 − .55| = .45. Each bin holds
    // half of the answers.
    [Fact]
    public void The_expected_error_is_the_mean_distance_of_accuracy_and_probability_by_bin() =>
        Error([1, 0, 1, 1], [0.95f, 0.95f, 0.55f, 0.55f], 10).Value.ShouldBe(0.45, 1e-6);

    // Within one bin too high and too low cancel; in two bins they do not.
    [Fact]
    public void Errors_cancel_within_a_bin_only()
    {
        Error([1, 0], [0.6f, 0.4f], 1).Value.ShouldBe(0, 1e-6);
        Error([1, 0], [0.6f, 0.4f], 2).Value.ShouldBe(0.4, 1e-6);
    }

    // An upper edge belongs to its bin: 0.5 of two bins is in the lower one, and 1 in the last.
    [Fact]
    public void Bins_are_open_below_and_closed_above() => Error([1, 0], [0.5f, 1f], 2).Value.ShouldBe(0.75, 1e-6);

    [Fact]
    public void A_model_that_is_always_right_and_sure_has_no_error() => Error([1, 1, 1], [1, 1, 1], 15).ShouldBe(new Interval(0, 0, 0));

    [Theory]
    [InlineData(40)]
    [InlineData(200)]
    [InlineData(1000)]
    public void The_error_lies_within_its_interval(int images)
    {
        // A model that is calibrated: its error is small, and every resample makes it larger.
        var random = new Random(7);
        float[] confidence = [.. Enumerable.Range(0, images).Select(_ => 0.5f + random.NextSingle() / 2)];
        float[] right = [.. confidence.Select(share => random.NextSingle() < share ? 1f : 0f)];

        var error = Error(right, confidence, 15);

        error.Low.ShouldBeLessThan(error.Value);
        error.High.ShouldBeGreaterThan(error.Value);
        error.Low.ShouldBeGreaterThanOrEqualTo(0);
    }

    private static Interval Error(float[] right, float[] confidence, int bins) =>
        Bootstrap.Intervals([CalibrationError.Of(right, confidence, bins)], 1000, 1)[0];
}
