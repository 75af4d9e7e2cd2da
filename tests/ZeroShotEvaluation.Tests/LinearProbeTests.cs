using ClipSae.ZeroShotEvaluation.Models;
using ClipSae.ZeroShotEvaluation.Settings;
using TorchSharp;

namespace ClipSae.ZeroShotEvaluation.Tests;

public sealed class LinearProbeTests
{
    private static readonly double[] Features = [1, 0, 0.8, 0.6, 0, 1, -0.6, 0.8, -1, 0, -0.8, -0.6, 0, -1, 0.6, -0.8];
    private static readonly int[] Classes = [0, 0, 1, 1, 2, 2, 0, 1];

    // The expected minimum comes from 400,000 steps of plain gradient descent on ½‖W‖² + C · Σ loss, C = 2, in Python floats (gradient
    // below 1e-14); biases, which are free up to a constant, less their mean.
    [Fact]
    public void The_minimum_is_that_of_gradient_descent()
    {
        using var features = torch.tensor(Features, [8, 2]);
        var objective = new LogisticObjective(features, Classes, 3, 2);

        var fit = Lbfgs.Minimize(objective.Evaluate, new double[objective.Parameters], 1000);

        fit.Converged.ShouldBeTrue();
        fit.Iterations.ShouldBeLessThan(60);
        double[] expected = [1.176242, -0.12805, 0.161467, 0.544159, -1.33771, -0.416109];
        for (var i = 0; i < expected.Length; i++)
        {
            fit.Point[i].ShouldBe(expected[i], 2e-5);
        }

        var mean = fit.Point[6..].Average();
        (fit.Point[6] - mean).ShouldBe(0.186118, 2e-5);
        (fit.Point[7] - mean).ShouldBe(0.348696, 2e-5);
        (fit.Point[8] - mean).ShouldBe(-0.534815, 2e-5);
    }

    // Central differences of the value, h = 1e-5.
    [Fact]
    public void The_gradient_is_that_of_the_value()
    {
        using var features = torch.tensor(Features, [8, 2]);
        var objective = new LogisticObjective(features, Classes, 3, 0.7);
        double[] point = [0.3, -0.2, 0.5, 0.1, -0.7, 0.4, 0.2, -0.1, 0.05];
        var (gradient, unused) = (new double[9], new double[9]);
        objective.Evaluate(point, gradient);

        for (var i = 0; i < point.Length; i++)
        {
            double[] up = [.. point],
                down = [.. point];
            up[i] += 1e-5;
            down[i] -= 1e-5;
            ((objective.Evaluate(up, unused) - objective.Evaluate(down, unused)) / 2e-5).ShouldBe(gradient[i], 1e-8);
        }
    }

    [Fact]
    public void The_split_takes_its_share_of_each_class_and_no_image_twice()
    {
        int[] classOf =
        [
            .. Enumerable
                .Range(0, 31)
                .Select(i =>
                    i < 20 ? 0
                    : i < 30 ? 1
                    : 2
                ),
        ];

        var (train, test) = LinearProbe.Split(classOf, 0.5, 3);

        train.Concat(test).Order().ShouldBe(Enumerable.Range(0, 31));
        train.GroupBy(image => classOf[image]).Select(group => (group.Key, group.Count())).Order().ShouldBe([(0, 10), (1, 5), (2, 1)]);
        LinearProbe.Split(classOf, 0.5, 3).Train.ShouldBe(train);
        LinearProbe.Split(classOf, 0.5, 4).Train.ShouldNotBe(train);
    }

    // Two classes on two sides of a line are told apart; labels that have nothing to do with the features are guessed.
    [Fact]
    public void Separable_classes_are_found_and_random_ones_are_not()
    {
        var random = new Datasets.SeededRandom(5, "probe-test");
        int[] classOf = [.. Enumerable.Range(0, 400).Select(i => i % 2)];
        int[] noise = [.. classOf.Select(_ => random.Next(2))];
        using var features = torch.tensor([.. classOf.SelectMany(c => Unit(c == 0 ? 1 : -1, random.NextDouble(-0.9, 0.9)))], [400, 2]);

        LinearProbe.Ask(features, classOf, new ProbeOptions(), 1)!.Right.Average().ShouldBe(1);
        LinearProbe.Ask(features, noise, new ProbeOptions(), 1)!.Right.Average().ShouldBeInRange(0.35f, 0.65f);

        static float[] Unit(double x, double y) => [(float)(x / Math.Sqrt(x * x + y * y)), (float)(y / Math.Sqrt(x * x + y * y))];
    }

    [Fact]
    public void A_set_with_an_image_a_class_has_no_probe()
    {
        using var features = torch.eye(3);

        LinearProbe.Ask(features, [0, 1, 2], new ProbeOptions(), 1).ShouldBeNull();
    }
}
