using ClipSae.Results.Autoencoders;
using ClipSae.Web.Atlas;
using static TorchSharp.torch;

namespace ClipSae.Web.Tests;

/// <summary>Expected values by hand.</summary>
public sealed class FeatureSumsTests
{
    [Fact]
    public void Frequency_mean_and_correlation_follow_from_the_sums()
    {
        var sums = new FeatureSums(3);
        sums.Add(
            tensor(
                new float[,]
                {
                    { 1, 0, 0 },
                    { 3, 2, 0 },
                }
            ),
            tensor(
                new float[,]
                {
                    { 2, 0, 0 },
                    { 6, 0, 0 },
                }
            )
        );
        sums.Add(
            tensor(
                new float[,]
                {
                    { 2, 0, 0 },
                    { 0, 0, 0 },
                }
            ),
            tensor(
                new float[,]
                {
                    { 4, 1, 0 },
                    { 0, 3, 0 },
                }
            )
        );

        var moved = sums.Moved(null);

        moved.ShouldBe([
            new MovedFeature(0, 0.75, 0.75, 1.5, 3, 1, null, null),
            new MovedFeature(1, 0.25, 0.5, 0.5, 1, -0.4714, null, null),
        ]);
    }

    [Fact]
    public void The_response_to_text_is_the_mean_difference_of_the_pairs()
    {
        var sums = new ResponseSums(1);
        sums.Means().ShouldBeNull();
        sums.Add(
            tensor(
                new float[,]
                {
                    { 1 },
                    { 1 },
                    { 4 },
                    { 2 },
                }
            ),
            tensor(
                new float[,]
                {
                    { 1 },
                    { 1 },
                    { 1 },
                    { 0 },
                }
            )
        );
        var (before, after) = sums.Means()!.Value;
        before.ShouldBe([2]);
        after.ShouldBe([-0.5]);
    }

    [Fact]
    public void Features_are_removed_added_turned_or_deaf()
    {
        MovedFeature Moved(int feature, double before, double after, double? correlation, double response, double tuned) =>
            new(feature, before, after, 1, 1, correlation, response, tuned);
        var movement = new FeatureMovement(
            "arm",
            100,
            10,
            [
                Moved(0, 0.5, 0.2, 0.9, 2, 0.5),
                Moved(1, 0.1, 0.3, 0.9, 0, 1),
                Moved(2, 0.2, 0.2, 0.1, 1, 0.9),
                Moved(3, 0.2, 0.2, 0.9, -1, -2),
                Moved(4, 0.004, 0, null, 0, 0),
            ]
        );

        ChangesPage.Removed(movement).Select(feature => feature.Feature).ShouldBe([0]);
        ChangesPage.Added(movement).Select(feature => feature.Feature).ShouldBe([1]);
        ChangesPage.Turned(movement).Select(feature => feature.Feature).ShouldBe([2]);
        ChangesPage.Deaf(movement).Select(feature => feature.Feature).ShouldBe([0, 2]);
    }
}
