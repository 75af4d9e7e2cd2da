using ClipSae.FineTuning.Optimization;
using ClipSae.FineTuning.Settings;
using ClipSae.FineTuning.Training;

namespace ClipSae.FineTuning.Tests;

public sealed class ParameterGroupingTests
{
    [Fact]
    public void Only_matrices_decay()
    {
        using var model = TuningSetup.Model();
        var groups = ParameterGrouping.ByPart(model, new GroupLearningRates(), 0.1).ToArray();

        Names(groups.Where(g => g.WeightDecay > 0))
            .Select(name => string.Join('.', name.Split('.').TakeLast(2)))
            .Distinct()
            .Order(StringComparer.Ordinal)
            .ShouldBe([
                "attn.in_proj_weight",
                "c_fc.theta",
                "c_proj.theta",
                "conv1.weight",
                "out_proj.weight",
                "text_projection",
                "visual.proj",
            ]);
    }

    [Fact]
    public void Every_parameter_is_in_one_group_at_the_rate_of_its_part()
    {
        using var model = TuningSetup.Model();
        var learningRates = new GroupLearningRates
        {
            Vision = 1,
            Text = 2,
            TokenEmbedding = 3,
            Positions = 4,
            Projections = 5,
        };
        var groups = ParameterGrouping.ByPart(model, learningRates, 0.1).ToArray();

        Names(groups).Order(StringComparer.Ordinal).ShouldBe(model.StateDict().Keys.Order(StringComparer.Ordinal));
        RateOf("visual.transformer.resblocks.0.mlp.c_fc.theta").ShouldBe(1);
        RateOf("transformer.resblocks.0.mlp.c_fc.r").ShouldBe(2);
        RateOf("token_embedding.weight").ShouldBe(3);
        RateOf("visual.class_embedding").ShouldBe(4);
        RateOf("positional_embedding").ShouldBe(4);
        RateOf("visual.proj").ShouldBe(5);
        RateOf("logit_scale").ShouldBe(5);
        RateOf("visual.ln_pre.weight").ShouldBe(5);

        double RateOf(string name) => groups.Single(g => g.Parameters.Any(p => p.Name == name)).LearningRate;
    }

    [Fact]
    public void A_rate_of_zero_freezes_a_part()
    {
        using var model = TuningSetup.Model();
        var groups = ParameterGrouping.ByPart(model, new GroupLearningRates { Text = 0 }, 0.1);

        Names(groups).ShouldNotContain(name => name.StartsWith("transformer.", StringComparison.Ordinal));
        Names(groups).ShouldContain(name => name.StartsWith("visual.transformer.", StringComparison.Ordinal));
    }

    private static string[] Names(IEnumerable<ParameterGroup> groups) => [.. groups.SelectMany(g => g.Parameters).Select(p => p.Name)];
}
