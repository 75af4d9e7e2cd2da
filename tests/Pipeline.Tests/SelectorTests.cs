using ClipSae.Pipeline.Runs;

namespace ClipSae.Pipeline.Tests;

public class SelectorTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 23, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("model:weights", "weights")]
    [InlineData("dataset:shards/*", "in/00000 in/00001")]
    [InlineData("evaluation:*", "in/typographic/manifest in/typographic/shards/00000")]
    [InlineData("evaluation:*/shards/*", "in/typographic/00000")]
    [InlineData("nothing:*", "")]
    [InlineData("sae-training/*:sae", "in/mlp@0 in/mlp@1")]
    [InlineData("sae-training/mlp@1:*", "in/sae in/statistics")]
    [InlineData("sae-training/*:*", "in/mlp@0/sae in/mlp@0/statistics in/mlp@1/sae in/mlp@1/statistics")]
    [InlineData("sae-training/mlp@0:sae", "in")]
    [InlineData("sae-training/mlp@9:sae", "")]
    public void Inputs_are_named_by_what_the_stars_matched(string from, string names)
    {
        var expected = names.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(name => name == "weights" ? "in" : name);

        Resolve(from).ShouldBe(expected);
    }

    [Theory]
    [InlineData("weights")]
    [InlineData(":x")]
    [InlineData("x:")]
    public void A_selector_of_neither_kind_is_refused(string from) => Should.Throw<UserErrorException>(() => InputSource.Parse(from));

    private static IEnumerable<string> Resolve(string from)
    {
        static ArtifactRef Artifact(string name) => new("sha256:" + name, 1, "x/y", name);
        string[] inputs =
        [
            "model:weights",
            "dataset:shards/00001",
            "dataset:shards/00000",
            "evaluation:typographic/manifest",
            "evaluation:typographic/shards/00000",
        ];
        var plan = new RunPlan([
            new StagePlan("sae-training", [], [new UnitPlan("mlp@0", [], []), new UnitPlan("mlp@1", [], [])], []),
            new StagePlan(
                "last",
                [],
                [new UnitPlan("all", [], [new InputSelector("in", from)])],
                [new InputSelector("none", "sae-training/none:none")]
            ),
        ]);
        var outputs = new Dictionary<string, ArtifactRef> { ["statistics"] = Artifact("statistics"), ["sae"] = Artifact("sae") };
        RunEvent[] events =
        [
            new RunStarted("run", plan, new RunSpec(inputs.ToDictionary(name => name, Artifact), [])) { At = Now },
            History.Finished("sae-training", "mlp@1", Now) with
            {
                Outputs = outputs,
            },
            History.Finished("sae-training", "mlp@0", Now) with
            {
                Outputs = outputs,
            },
        ];
        return ((RunUnit)RunDecisions.Decide(RunState.Fold(events)).Single()).Inputs.Keys;
    }
}
