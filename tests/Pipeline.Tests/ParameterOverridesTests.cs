using System.Text.Json.Nodes;
using ClipSae.Pipeline.Runs;

namespace ClipSae.Pipeline.Tests;

public class ParameterOverridesTests
{
    private static readonly Dictionary<string, JsonObject> Defaults = new()
    {
        ["sae-training"] = JsonNode.Parse("""{"k":32,"learningRate":0.0004,"name":"x","tied":false,"warmUp":{"steps":10}}""")!.AsObject(),
        ["embedding-extraction"] = JsonNode.Parse("""{"hookPoints":["image-embedding"]}""")!.AsObject(),
        ["fine-tuning"] = JsonNode.Parse("""{"steps":70}""")!.AsObject(),
    };

    [Theory]
    [InlineData("sae.k=16", """{"sae":{"k":16}}""")]
    [InlineData("sae-training.k=16", """{"sae":{"k":16}}""")]
    [InlineData("sae.learningRate=1e-3", """{"sae":{"learningRate":1e-3}}""")]
    [InlineData("sae.name=12", """{"sae":{"name":"12"}}""")]
    [InlineData("sae.tied=true", """{"sae":{"tied":true}}""")]
    [InlineData("sae.warmUp.steps=5", """{"sae":{"warmUp":{"steps":5}}}""")]
    [InlineData("extraction.hookPoints=mlp@0,mlp@1", """{"extraction":{"hookPoints":["mlp@0","mlp@1"]}}""")]
    [InlineData("extraction.hookPoints=[\"mlp@0\"]", """{"extraction":{"hookPoints":["mlp@0"]}}""")]
    [InlineData("extraction.hookPoints=mlp@0", """{"extraction":{"hookPoints":["mlp@0"]}}""")]
    [InlineData("tuning.arms=none,amplify", """{"tuning":{"arms":["none","amplify"]}}""")]
    [InlineData("tuning.arms=none", """{"tuning":{"arms":"none"}}""")]
    [InlineData("tuning.seeds=3", """{"tuning":{"seeds":3}}""")]
    [InlineData("evaluation.anything=x=y", """{"evaluation":{"anything":"x=y"}}""")]
    public void An_assignment_sets_one_value(string assignment, string expected) =>
        ParameterOverrides.Apply([], [assignment], Defaults).ToJsonString().ShouldBe(expected);

    [Theory]
    [InlineData("sae.kk=1", "unknown parameter kk in sae.kk=1; did you mean k?")]
    [InlineData("sae.warmUp.step=1", "unknown parameter step in sae.warmUp.step=1; did you mean steps?")]
    [InlineData("tuning.seed=1", "unknown parameter seed in tuning.seed=1; did you mean seeds")]
    [InlineData("sea.k=1", "unknown parameter section sea; did you mean sae?")]
    [InlineData("extraction.batch=8", "extraction.batch is called extraction.batchSize now")]
    [InlineData("zero-shot-evaluation.precision=bfloat16", "evaluation.precision is called evaluation.compute now")]
    [InlineData("tuning.rates.vision=1", "tuning.rates is called tuning.learningRates now")]
    [InlineData("tuning.schedule.warmupSteps=5", "tuning.schedule.warmupSteps is called tuning.schedule.warmUpSteps now")]
    [InlineData("k=1", "'k=1': expected section.key=value")]
    [InlineData("sae.k", "'sae.k': expected section.key=value")]
    [InlineData("sae..k=1", "'sae..k=1': expected section.key=value")]
    public void A_wrong_assignment_is_told(string assignment, string message) =>
        Should.Throw<UserErrorException>(() => ParameterOverrides.Apply([], [assignment], Defaults)).Message.ShouldStartWith(message);

    [Fact]
    public void What_was_given_is_left_as_it_was()
    {
        var before = JsonNode.Parse("""{"sae":{"k":8,"tied":true}}""")!.AsObject();

        ParameterOverrides.Apply(before, ["sae.k=16"], Defaults).ToJsonString().ShouldBe("""{"sae":{"k":16,"tied":true}}""");
        before["sae"]!["k"]!.GetValue<int>().ShouldBe(8);
    }
}
