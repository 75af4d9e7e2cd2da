using ClipSae.Clip.Architecture;
using ClipSae.Clip.Model;
using ClipSae.FineTuning.Optimization;
using ClipSae.FineTuning.Settings;
using ClipSae.FineTuning.Training;
using ClipSae.Tensors;
using TorchSharp;
using static TorchSharp.torch;
using Parameter = TorchSharp.Modules.Parameter;

namespace ClipSae.FineTuning.Tests.Optimization;

/// <summary>Moments in eight bits (Dettmers et al. 2022, arXiv 2110.02861).</summary>
public sealed class EightBitMomentTests : IDisposable
{
    private const double Gibibyte = 1L << 30;

    private readonly DisposeScope _scope = NewDisposeScope();

    public void Dispose() => _scope.Dispose();

    // Ends of the map and its smallest numbers, by hand: the lowest decade is 1e-7 … 1e-6, in one step or two.
    [Fact]
    public void The_map_has_seven_decades_of_which_each_has_twice_the_steps_of_the_one_below()
    {
        float[] signed = [.. DynamicMap.Numbers(signed: true)],
            positive = [.. DynamicMap.Numbers(signed: false)];

        (signed.Length, positive.Length).ShouldBe((256, 256));
        signed.ShouldBe(signed.Order());
        signed.Count(number => number > 0).ShouldBe(128);
        signed.Count(number => number < 0).ShouldBe(127);
        signed[^1].ShouldBe(1);
        signed[0].ShouldBe(-0.99296875f, 1e-7); // −(1 − 0.9/128)
        signed[128].ShouldBe(5.5e-7f, 1e-12); // the middle of 1e-7 … 1e-6
        positive[0].ShouldBe(0);
        positive[1].ShouldBe(3.25e-7f, 1e-12); // the middle of the lower half
        positive.Count(number => number is > 0.1f and < 1).ShouldBe(128);
    }

    // What rounding to the nearest of the map's numbers gives, number by number, in double precision.
    [Theory]
    [InlineData(true, 512)]
    [InlineData(false, 700)] // the last block is not full
    public void A_moment_comes_back_as_the_nearest_number_of_the_map_times_the_largest_of_its_block(bool signed, int length)
    {
        manual_seed(1);
        using var map = new DynamicMap(signed, CPU);
        double[] numbers = [.. DynamicMap.Numbers(signed).Select(number => (double)number)];
        var values = randn(length) * randn(length).Squared();
        values = signed ? values : values.abs();
        values[3] = tensor(0f);
        using var moment = new EightBitMoment(values, map);
        moment.Read().abs().max().item<float>().ShouldBe(0);

        moment.Write(values);

        float[] before = [.. values.data<float>()],
            after = [.. moment.Read().data<float>()];
        for (var i = 0; i < length; i++)
        {
            var block = before.Skip(i / 256 * 256).Take(256).ToArray();
            var largest = (double)block.Max(MathF.Abs);
            var nearest = numbers.Min(number => Math.Abs((number * largest) - before[i]));
            Math.Abs((double)after[i] - before[i]).ShouldBe(nearest, 1e-6 * largest);
        }

        after[3].ShouldBe(0);
        if (!signed)
        {
            // Twice written is once written; of signed numbers −1 is none of the map's.
            moment.Write(moment.Read());
            moment.Read().data<float>().ToArray().ShouldBe(after);
        }
    }

    // A quadratic with noise in its gradients, of conditions between 1 and 100: 5.8 % of the way apart after 60 steps.
    [Fact]
    public void A_training_goes_where_it_goes_in_float32()
    {
        var (wide, narrow, start) = (Train(Precision.Float32, 60), Train(Precision.Int8, 60), Train(Precision.Float32, 0));

        var (travelled, apart) = ((wide - start).norm().item<float>(), (narrow - wide).norm().item<float>());

        apart.ShouldBeInRange(1e-6f * travelled, 0.1f * travelled);
        Train(Precision.Int8, 60).data<float>().ToArray().ShouldBe(narrow.data<float>().ToArray());
    }

    [Fact]
    public void It_goes_on_from_a_checkpoint_as_if_it_had_not_stopped()
    {
        var whole = Train(Precision.Int8, 20);
        var resumed = Train(Precision.Int8, 20, stopAt: 7);

        resumed.data<float>().ToArray().ShouldBe(whole.data<float>().ToArray());
    }

    // Whole ViT-H/14: 986 million parameters.
    [Fact]
    public void Moments_of_a_large_model_take_little_more_than_a_quarter()
    {
        var a = new ClipArchitecture(1024, 224, 32, 1280, 14, 77, 49408, 1024, 24) { VisionHeads = 16, TextHeads = 16 };
        double Bytes(Precision precision) =>
            ClipKeys.Shapes(a).Sum(shape => EightBitMoment.BytesOf(shape.Key, shape.Value.Aggregate(1L, (n, size) => n * size), precision))
            / Gibibyte;

        Bytes(Precision.Float32).ShouldBe(7.35, 0.01);
        Bytes(Precision.Int8).ShouldBe(2.15, 0.02);

        // Counted as an optimizer keeps them.
        using var model = ClipModel.Initialize(new ClipArchitecture(64, 32, 2, 128, 8, 16, 600, 64, 1), seed: 1);
        using var optimizer = new Optimizer(
            new OptimizerOptions.AdamW(),
            [.. ParameterGrouping.Uniform(model, 1e-3, 0.1)],
            moments: Precision.Int8
        );
        foreach (var (_, parameter) in model.named_parameters())
        {
            parameter.grad = ones_like(parameter);
        }

        optimizer.Step(1);
        optimizer
            .State.ToTensors()
            .Values.Sum(kept => kept.NumberOfElements * kept.ElementSize)
            .ShouldBe(model.named_parameters().Sum(p => EightBitMoment.BytesOf(p.name, p.parameter.NumberOfElements, Precision.Int8)));
        optimizer.State.ToTensors().ShouldContainKey("token_embedding.weight.first");
        optimizer.State.ToTensors().ShouldContainKey("visual.transformer.resblocks.1.mlp.c_fc.weight.second.codes");
    }

    [Fact]
    public void They_are_for_the_optimizer_that_they_are_published_for()
    {
        Should
            .Throw<UserErrorException>(() => new FineTuningOptions { Moments = Precision.Int8 }.Validate())
            .Message.ShouldBe("tuning.moments: must be float32 with this optimizer; int8 is for adamw (tuning.optimizer.kind=adamw)");
        new FineTuningOptions { Moments = Precision.Int8, Optimizer = new OptimizerOptions.AdamW() }.Validate();
    }

    // What runs of before were keyed by stays as it was.
    [Fact]
    public void The_default_is_not_written_among_the_parameters()
    {
        var json = System.Text.Json.JsonSerializer.Serialize(new FineTuningOptions(), ContractJson.Options);
        json.ShouldNotContain("moments");
        System
            .Text.Json.JsonSerializer.Serialize(new FineTuningOptions { Moments = Precision.Int8 }, ContractJson.Options)
            .ShouldContain("\"moments\":\"int8\"");
    }

    private static Tensor Train(Precision precision, int steps, int stopAt = 0)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(5);
        var target = randn([64, 100], generator: generator);
        var condition = logspace(0, 2, 100, dtype: float32);
        var parameter = new Parameter(zeros(64, 100));
        Optimizer Make() =>
            new(new OptimizerOptions.AdamW(), [new ParameterGroup("all", 0.01, 0.1, [("p.weight", parameter)])], moments: precision);
        var optimizer = Make();
        for (var step = 0; step < steps; step++)
        {
            if (stopAt > 0 && step == stopAt)
            {
                var kept = optimizer.State.ToTensors().ToDictionary(t => t.Key, t => t.Value.clone());
                var done = optimizer.State.Step;
                optimizer.Dispose();
                optimizer = Make();
                optimizer.State.Load(done, kept);
            }

            parameter.grad = ((parameter.detach() - target) * condition).Plus(randn([64, 100], generator: generator));
            optimizer.Step(1);
        }

        optimizer.Dispose();
        return parameter.detach().clone().MoveToOuterDisposeScope();
    }
}
