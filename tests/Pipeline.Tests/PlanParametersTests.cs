using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using ClipSae.Pipeline.Runs;
using ClipSae.Pipeline.Stages;

namespace ClipSae.Pipeline.Tests;

public class PlanParametersTests
{
    private static readonly Dictionary<string, IStage> Stages = new() { ["tuning"] = new Tuning() };

    [Fact]
    public void Each_unit_has_all_its_parameters_and_what_they_share_stands_at_the_stage()
    {
        var plan = Normalize("""{"steps":5}""", """{"arm":"a"}""", """{"arm":"b"}""", """{"arm":"a"}""");

        Text(plan.Stages[0].Parameters).ShouldBe("""{"rate":0.1,"steps":5}""");
        plan.Stages[0].Units.Select(unit => Text(unit.Parameters)).ShouldBe(["""{"arm":"a"}""", """{"arm":"b"}""", """{"arm":"a"}"""]);
    }

    [Fact]
    public void A_parameter_that_one_unit_alone_lacks_stands_at_the_others()
    {
        var plan = Normalize("{}", """{"arm":"a","adapter":4}""", """{"arm":"a"}""");

        Text(plan.Stages[0].Parameters).ShouldBe("""{"arm":"a","rate":0.1,"steps":10}""");
        plan.Stages[0].Units.Select(unit => Text(unit.Parameters)).ShouldBe(["""{"adapter":4}""", "{}"]);
    }

    [Fact]
    public void A_plan_that_is_normalized_stays_as_it_is()
    {
        var once = Normalize("""{"steps":5}""", """{"arm":"a"}""", """{"arm":"b","adapter":4}""");

        CanonicalJson.Serialize(Json(PlanParameters.Normalize(once, Stages))).ShouldBe(CanonicalJson.Serialize(Json(once)));
    }

    [Fact]
    public void A_stage_that_is_not_known_here_is_left_to_its_workers()
    {
        var plan = new RunPlan([new StagePlan("other", new JsonObject { ["k"] = 1 }, [new UnitPlan("u", [], [])], [])]);

        PlanParameters.Normalize(plan, Stages).Stages.ShouldHaveSingleItem().ShouldBeSameAs(plan.Stages[0]);
    }

    [Fact]
    public void An_impossible_parameter_of_one_unit_is_named() =>
        Should
            .Throw<UserErrorException>(() => Normalize("{}", """{"arm":"a"}""", """{"arn":"b"}"""))
            .Message.ShouldBe("tuning: unknown parameter arn; did you mean arm?");

    private static RunPlan Normalize(string stage, params string[] units) =>
        PlanParameters.Normalize(
            new RunPlan([
                new StagePlan("tuning", Parse(stage), [.. units.Select((unit, index) => new UnitPlan($"u{index}", Parse(unit), []))], []),
            ]),
            Stages
        );

    private static JsonNode? Json(RunPlan plan) => JsonSerializer.SerializeToNode(plan, ContractJson.Options);

    private static JsonObject Parse(string json) => JsonNode.Parse(json)!.AsObject();

    private static string Text(JsonObject json) => CanonicalJson.Serialize(json);

    private sealed class Tuning : IStage
    {
        private sealed record Options(
            string Arm = "none",
            double Rate = 0.1,
            int Steps = 10,
            [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] int? Adapter = null
        );

        public string Name => "tuning";

        public int AlgorithmVersion => 1;

        public JsonObject Normalize(JsonObject parameters) => StageParameters.Normalize<Options>(parameters, Name);

        public Task<StageResult> RunAsync(StageContext context, CancellationToken cancel) => throw new NotSupportedException();
    }
}
