using System.Text.Json.Nodes;
using ClipSae.Pipeline.Stages;

namespace ClipSae.Pipeline.Tests;

public class StageParametersTests
{
    private sealed record SaeOptions(int K = 32, double LearningRate = 4e-4, bool Tied = false, IReadOnlyList<string>? HookPoints = null);

    [Fact]
    public void Normalizing_makes_defaults_explicit() =>
        StageParameters
            .Normalize<SaeOptions>(new JsonObject { ["k"] = 16 }, "sae-training")
            .ToJsonString()
            .ShouldBe("""{"k":16,"learningRate":0.0004,"tied":false,"hookPoints":null}""");

    [Fact]
    public void An_unknown_key_names_the_near_one() =>
        Should
            .Throw<UserErrorException>(() => StageParameters.Bind<SaeOptions>(new JsonObject { ["learninRate"] = 1 }, "sae-training"))
            .Message.ShouldBe("sae-training: unknown parameter learninRate; did you mean learningRate?");

    [Fact]
    public void A_value_of_the_wrong_type_names_key_and_value()
    {
        var message = Should
            .Throw<UserErrorException>(() => StageParameters.Bind<SaeOptions>(new JsonObject { ["k"] = "many" }, "sae-training"))
            .Message;

        message.ShouldStartWith("sae-training: parameter k = \"many\" does not fit");
        message.ShouldNotContain("\n");
    }

    [Fact]
    public void An_overlay_replaces_and_extends() =>
        StageParameters
            .Overlay(new JsonObject { ["a"] = 1, ["b"] = 2 }, new JsonObject { ["b"] = 3, ["c"] = 4 })
            .ToJsonString()
            .ShouldBe("""{"a":1,"b":3,"c":4}""");
}
