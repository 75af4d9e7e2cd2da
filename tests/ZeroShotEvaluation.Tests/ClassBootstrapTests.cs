using ClipSae.Results.Evaluation;
using ClipSae.ZeroShotEvaluation.Statistics;

namespace ClipSae.ZeroShotEvaluation.Tests;

public sealed class ClassBootstrapTests
{
    // Class a: 2 of 3; class c: 1 of 1; class b has no image. Mean of the classes: (2/3 + 1) / 2; of the images it is 3/4.
    [Fact]
    public void Every_class_counts_the_same_however_many_images_it_has()
    {
        var (mean, classes) = ClassBootstrap.Intervals(
            ["a", "b", "c"],
            [0, 0, 2, 0],
            [
                [1, 0, 1, 1],
            ],
            1000,
            1
        )[0];

        mean.Value.ShouldBe(5 / 6.0, 1e-12);
        classes.Select(score => (score.Class, score.Images)).ShouldBe([("a", 3), ("c", 1)]);
        classes[0].Accuracy.Value.ShouldBe(2 / 3.0, 1e-12);
        classes[1].Accuracy.ShouldBe(new Interval(1, 1, 1));
    }

    // With one class the mean of the classes is the accuracy, and the draws are the same, so the intervals must agree.
    [Fact]
    public void Its_draws_are_those_of_the_bootstrap()
    {
        float[] right = [.. Enumerable.Range(0, 60).Select(i => i % 3 == 0 ? 0f : 1f)];

        var (mean, classes) = ClassBootstrap.Intervals(["a"], new int[60], [right], 1000, 7)[0];
        var plain = Bootstrap.Intervals([right], 1000, 7)[0];

        mean.Low.ShouldBe(plain.Low, 1e-9);
        mean.High.ShouldBe(plain.High, 1e-9);
        classes[0].Accuracy.High.ShouldBe(plain.High, 1e-9);
    }

    // 9,000 classes are too many for all models at once; each model must come out as if it were alone.
    [Fact]
    public void Models_that_do_not_fit_together_come_out_as_alone()
    {
        const int Classes = 9_000;
        string[] names = [.. Enumerable.Range(0, Classes).Select(i => $"{i}")];
        int[] classOf = [.. Enumerable.Range(0, Classes)];
        float[][] models = [.. Enumerable.Range(1, 3).Select(model => classOf.Select(i => i % (model + 1) == 0 ? 0f : 1f).ToArray())];

        var together = ClassBootstrap.Intervals(names, classOf, models, 1000, 5);

        together.Select(scores => scores.Mean.Value).ShouldBe([0.5, 2 / 3.0, 0.75], 1e-9);
        together[2].Mean.ShouldBe(ClassBootstrap.Intervals(names, classOf, [models[2]], 1000, 5)[0].Mean);
    }
}
