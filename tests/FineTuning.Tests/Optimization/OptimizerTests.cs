using ClipSae.FineTuning.Optimization;
using ClipSae.FineTuning.Settings;
using ClipSae.FineTuning.Training;
using ClipSae.Tensors;
using TorchSharp;
using static TorchSharp.torch;
using Parameter = TorchSharp.Modules.Parameter;

namespace ClipSae.FineTuning.Tests.Optimization;

public sealed class OptimizerTests : IDisposable
{
    private const double LearningRate = 0.01;
    private const double ScheduleFactor = 0.5;
    private const double Decay = 0.2;

    private static readonly double[] Start = [0.5, -1.25, 2];

    private readonly DisposeScope _scope = NewDisposeScope();

    public void Dispose() => _scope.Dispose();

    // arXiv 1711.05101, algorithm 2, in the form of torch.optim.AdamW, in double precision.
    [Fact]
    public void AdamW_follows_its_formulas()
    {
        var (beta1, beta2, epsilon) = (0.8, 0.95, 1e-3);
        var expected = Start.Select(
            (start, i) =>
            {
                double p = start,
                    m = 0,
                    v = 0;
                for (var t = 1; t <= 8; t++)
                {
                    var g = Gradient(t)[i];
                    p -= LearningRate * ScheduleFactor * Decay * p;
                    m = (beta1 * m) + ((1 - beta1) * g);
                    v = (beta2 * v) + ((1 - beta2) * g * g);
                    p -=
                        LearningRate
                        * ScheduleFactor
                        * (m / (1 - Math.Pow(beta1, t)))
                        / (Math.Sqrt(v / (1 - Math.Pow(beta2, t))) + epsilon);
                }

                return p;
            }
        );

        Values(Trained(new OptimizerOptions.AdamW(beta1, beta2, epsilon), 8)).ShouldBe(expected, 1e-6);
    }

    // arXiv 2010.07468, algorithm 1, with ε inside and outside of the root, rectified as arXiv 1908.03265, algorithm 2: plain momentum
    // while the variance rests on fewer than five effective samples, which with β₂ = 0.999 is the case in the first five steps.
    [Theory]
    [InlineData(5)]
    [InlineData(6)]
    [InlineData(9)]
    public void AdaBelief_follows_its_formulas_on_both_sides_of_the_rectification(int steps)
    {
        var (beta1, beta2, epsilon) = (0.9, 0.999, 1e-4);
        var rectified = 0;
        var expected = Start
            .Select(
                (start, i) =>
                {
                    double p = start,
                        m = 0,
                        s = 0;
                    for (var t = 1; t <= steps; t++)
                    {
                        var g = Gradient(t)[i];
                        p -= LearningRate * ScheduleFactor * Decay * p;
                        m = (beta1 * m) + ((1 - beta1) * g);
                        s = (beta2 * s) + ((1 - beta2) * (g - m) * (g - m)) + epsilon;
                        var mean = m / (1 - Math.Pow(beta1, t));
                        double limit = (2 / (1 - beta2)) - 1,
                            samples = limit - (2 * t * Math.Pow(beta2, t) / (1 - Math.Pow(beta2, t)));
                        if (samples < 5)
                        {
                            p -= LearningRate * ScheduleFactor * mean;
                            continue;
                        }

                        rectified++;
                        var r = Math.Sqrt((samples - 4) * (samples - 2) * limit / ((limit - 4) * (limit - 2) * samples));
                        p -= LearningRate * ScheduleFactor * r * mean * Math.Sqrt(1 - Math.Pow(beta2, t)) / (Math.Sqrt(s) + epsilon);
                    }

                    return p;
                }
            )
            .ToArray();

        Values(Trained(new OptimizerOptions.AdaBelief(beta1, beta2, epsilon), steps)).ShouldBe(expected, 2e-6);
        rectified.ShouldBe(Start.Length * Math.Max(0, steps - 5));
    }

    [Theory]
    [InlineData("adamw")]
    [InlineData("adabelief")]
    public void Decay_is_decoupled_from_the_gradient(string rule)
    {
        OptimizerOptions options = rule == "adamw" ? new OptimizerOptions.AdamW() : new OptimizerOptions.AdaBelief();
        var parameter = new Parameter(tensor(Start, ScalarType.Float32));
        using var optimizer = new Optimizer(options, [new ParameterGroup("all", LearningRate, Decay, [("p", parameter)])]);
        for (var t = 0; t < 3; t++)
        {
            parameter.grad = zeros(3);
            optimizer.Step(ScheduleFactor);
        }

        // A gradient of zero leaves the moments at zero, so the decay alone acts.
        Values(parameter).ShouldBe(Start.Select(p => p * Math.Pow(1 - (LearningRate * ScheduleFactor * Decay), 3)), 1e-6);
    }

    [Fact]
    public void A_parameter_without_a_gradient_is_left_alone()
    {
        var parameter = new Parameter(tensor(Start, ScalarType.Float32));
        using var optimizer = new Optimizer(
            new OptimizerOptions.AdamW(),
            [new ParameterGroup("all", LearningRate, Decay, [("p", parameter)])]
        );
        optimizer.Step(1);

        Values(parameter).ShouldBe(Start);
        optimizer.State.ToTensors().ShouldBeEmpty();
    }

    [Fact]
    public void Gradients_are_cleared_by_the_step()
    {
        var parameter = new Parameter(tensor(Start, ScalarType.Float32)) { grad = ones(3) };
        using var optimizer = new Optimizer(
            new OptimizerOptions.AdamW(),
            [new ParameterGroup("all", LearningRate, Decay, [("p", parameter)])]
        );
        optimizer.Step(1);

        parameter.grad.ShouldBeNull();
    }

    [Theory]
    [InlineData(0.25)]
    [InlineData(1)]
    public void Gradients_are_multiplied_with_the_factor(double factor)
    {
        Parameter Stepped(double onGradient, Tensor? given)
        {
            var parameter = new Parameter(tensor(Start, ScalarType.Float32))
            {
                grad = tensor(Gradient(1).Select(g => g * onGradient).ToArray(), ScalarType.Float32),
            };
            using var optimizer = new Optimizer(
                new OptimizerOptions.AdamW(Epsilon: 1),
                [new ParameterGroup("all", LearningRate, Decay, [("p", parameter)])]
            );
            optimizer.Step(ScheduleFactor, given);
            return parameter;
        }

        Stepped(1, tensor((float)factor)).Equals(Stepped(factor, given: null)).ShouldBeTrue();
    }

    [Theory]
    [InlineData("adamw")]
    [InlineData("adabelief")]
    public void A_state_that_was_taken_over_goes_on_to_the_same_bits(string rule)
    {
        OptimizerOptions options = rule == "adamw" ? new OptimizerOptions.AdamW() : new OptimizerOptions.AdaBelief();
        var undisturbed = Trained(options, 8);
        var parameter = new Parameter(tensor(Start, ScalarType.Float32));
        using var first = Advance(options, parameter, 1, 4);
        using var second = Advance(options, parameter, 5, 8, first.State);

        parameter.Equals(undisturbed).ShouldBeTrue();
    }

    // Side by side, a group's parameters are updated by the same operations in one go.
    [Theory]
    [InlineData("adamw")]
    [InlineData("adabelief")]
    public void Parameters_side_by_side_are_updated_as_each_alone(string rule)
    {
        OptimizerOptions options = rule == "adamw" ? new OptimizerOptions.AdamW() : new OptimizerOptions.AdaBelief();
        var rates = new GroupLearningRates
        {
            Vision = 1e-3,
            Text = 3e-3,
            Projections = 0,
            Positions = 1e-2,
            TokenEmbedding = 1e-3,
        };
        using var alone = TuningSetup.Model();
        using var together = TuningSetup.Model();
        ParameterGroup[] Groups(Clip.Model.ClipModel model)
        {
            ParameterGrouping.Freeze(model, rates);
            return [.. ParameterGrouping.ByPart(model, rates, Decay)];
        }

        var (aloneGroups, togetherGroups) = (Groups(alone), Groups(together));
        using var training = ParameterGrouping.Begin(together, togetherGroups, Precision.Float32, recompute: false, flat: true);
        using var aloneOptimizer = new Optimizer(options, aloneGroups);
        using var togetherOptimizer = new Optimizer(options, togetherGroups, training.Weights);
        var (weights, start) = (training.Weights!, TuningSetup.Model().StateDict());
        using var generator = new Generator(1, CPU);
        for (var step = 0; step < 7; step++)
        {
            foreach (var (name, parameter) in aloneGroups.SelectMany(group => group.Parameters))
            {
                parameter.grad = randn(parameter.shape, generator: generator);
                weights.Layout[name].Of(weights.Gradients).copy_(parameter.grad);
            }

            aloneOptimizer.Step(ScheduleFactor);
            togetherOptimizer.Step(ScheduleFactor);
        }

        var expected = alone.StateDict();
        var trained = aloneGroups.SelectMany(group => group.Parameters).Select(parameter => parameter.Name).ToHashSet();
        trained.Count.ShouldBeInRange(1, expected.Count - 1);
        foreach (var (name, value) in together.StateDict())
        {
            (value - expected[name]).abs().max().item<float>().ShouldBeLessThan(1e-6f, name);
            value.Equals(start[name]).ShouldBe(!trained.Contains(name), name);
        }

        weights.Gradients.abs().max().item<float>().ShouldBe(0);
        var moments = togetherOptimizer.State.ToTensors();
        foreach (var (name, value) in aloneOptimizer.State.ToTensors())
        {
            (moments[name] - value).abs().max().item<float>().ShouldBeLessThan(1e-6f, name);
        }

        moments.Count.ShouldBe(aloneOptimizer.State.ToTensors().Count);
    }

    private static Parameter Trained(OptimizerOptions options, int steps)
    {
        var parameter = new Parameter(tensor(Start, ScalarType.Float32));
        Advance(options, parameter, 1, steps).Dispose();
        return parameter;
    }

    private static Optimizer Advance(OptimizerOptions options, Parameter parameter, int from, int to, OptimizerState? state = null)
    {
        var optimizer = new Optimizer(options, [new ParameterGroup("all", LearningRate, Decay, [("p", parameter)])]);
        if (state is not null)
        {
            optimizer.State.Load(state.Step, state.ToTensors());
        }

        for (var t = from; t <= to; t++)
        {
            parameter.grad = tensor(Gradient(t), ScalarType.Float32);
            optimizer.Step(ScheduleFactor);
        }

        return optimizer;
    }

    private static double[] Gradient(int step) => [Math.Sin(step), 0.3 * Math.Cos(2 * step), 5 * Math.Sin(step * step)];

    private static double[] Values(Tensor tensor) => [.. tensor.detach().data<float>().Select(value => (double)value)];
}
