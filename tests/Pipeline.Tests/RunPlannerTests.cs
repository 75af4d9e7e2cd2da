using System.Text.Json.Nodes;
using ClipSae.Pipeline.Runs;

namespace ClipSae.Pipeline.Tests;

public class RunPlannerTests
{
    private static readonly Dictionary<string, JsonObject> NoDefaults = [];

    [Fact]
    public void Shards_hook_points_arms_and_seeds_become_units()
    {
        var plan = Plan("""{"extraction":{"hookPoints":["mlp@0","mlp@1"]},"tuning":{"arms":["none","penalise"],"seeds":2,"steps":70}}""");

        Units(plan, ParameterSections.Extraction).ShouldBe(["00000", "00001"]);
        Units(plan, ParameterSections.Sae).ShouldBe(["mlp@0", "mlp@1"]);
        Units(plan, ParameterSections.Curation).ShouldBe(["all"]);
        Units(plan, ParameterSections.Tuning).ShouldBe(["none.s0", "none.s1", "penalise.s0", "penalise.s1"]);
        Units(plan, ParameterSections.Conversion).ShouldBe(["none.s0", "none.s1", "penalise.s0", "penalise.s1"]);
        Units(plan, ParameterSections.Evaluation).ShouldBe(["all"]);
        Units(plan, ParameterSections.Report).ShouldBe(["all"]);
        Stage(plan, ParameterSections.Tuning).Parameters.ToJsonString().ShouldBe("""{"steps":70}""");
        Stage(plan, ParameterSections.Tuning).Units[3].Parameters.ToJsonString().ShouldBe("""{"arm":"penalise","seed":8}""");
    }

    [Fact]
    public void Stages_that_draw_get_the_seed_of_the_run()
    {
        var defaults = new Dictionary<string, JsonObject>
        {
            [ParameterSections.Sae] = new() { ["k"] = 32, ["seed"] = 0 },
            [ParameterSections.Report] = [],
        };

        var plan = RunPlanner.Plan(Request("{}"), defaults);

        Stage(plan, ParameterSections.Sae).Parameters["seed"]!.GetValue<long>().ShouldBe(7);
        Stage(plan, ParameterSections.Report).Parameters.ShouldBeEmpty();
    }

    [Fact]
    public void Lists_in_the_section_sae_become_an_autoencoder_for_every_combination()
    {
        var sae = Stage(
            Plan(
                """{"extraction":{"hookPoints":["mlp@0","cls@1"]},"sae":{"variant":["topk","topk-tied"],"k":[16,32]"""
                    + ""","expansion":4,"epochs":2}}"""
            ),
            ParameterSections.Sae
        );

        sae.Units.Select(unit => unit.Name)
            .ShouldBe([
                "mlp@0,variant=topk,k=16",
                "mlp@0,variant=topk,k=32",
                "mlp@0,variant=topk-tied,k=16",
                "mlp@0,variant=topk-tied,k=32",
                "cls@1,variant=topk,k=16",
                "cls@1,variant=topk,k=32",
                "cls@1,variant=topk-tied,k=16",
                "cls@1,variant=topk-tied,k=32",
            ]);
        sae.Units[2].Parameters.ToJsonString().ShouldBe("""{"variant":"topk-tied","k":16}""");
        sae.Units.ShouldAllBe(unit =>
            unit.Inputs.Single().From == $"embedding-extraction/*:{(unit.Name.StartsWith('m') ? "mlp@0" : "cls@1")}"
        );
        // What is no list stays with the stage, so that an autoencoder of a sweep and the same one alone share their result.
        sae.Parameters.ToJsonString().ShouldBe("""{"expansion":4,"epochs":2}""");
    }

    [Fact]
    public void An_autoencoder_that_is_given_takes_the_place_of_those_of_its_hook_point()
    {
        var given = new Dictionary<string, ArtifactRef>(Request("{}").Inputs)
        {
            ["sae:mlp@0"] = new("sha256:" + new string('a', 64), 1, "", "sae"),
        };
        RunPlan Plan(string hooks) =>
            RunPlanner.Plan(
                new RunSpec(given, JsonNode.Parse($$$"""{"extraction":{"hookPoints":{{{hooks}}}},"sae":{"k":[16,32]}}""")!.AsObject()),
                NoDefaults
            );

        var sae = Stage(Plan("""["mlp@0","mlp@1"]"""), ParameterSections.Sae);

        sae.Units.Select(unit => unit.Name).ShouldBe(["mlp@0", "mlp@1,k=16", "mlp@1,k=32"]);
        sae.Units[0].Inputs.ShouldContain(new InputSelector("given", "sae:mlp@0"));
        sae.Units.Skip(1).ShouldAllBe(unit => unit.Inputs.All(input => input.As != "given"));
        Should.Throw<UserErrorException>(() => Plan("""["mlp@1"]""")).Message.ShouldContain("sae:mlp@0");
    }

    [Fact]
    public void A_shortened_plan_ends_with_a_report_on_what_there_is()
    {
        var request = Request("{}");
        var plan = ShortenedPlan.Until(RunPlanner.Plan(request, NoDefaults), ParameterSections.Curation);

        plan.Stages.Select(stage => stage.Stage)
            .ShouldBe([ParameterSections.Extraction, ParameterSections.Sae, ParameterSections.Curation, ParameterSections.Report]);
        Stage(plan, ParameterSections.Report)
            .Units[0]
            .Inputs.Select(input => input.From)
            .ShouldBe(["sae-training/*:*", "attack-curation/*:*"]);
        RunPlanValidation.Require(plan, request.Inputs, [.. ParameterSections.All.Select(pair => pair.Stage)]);
    }

    [Theory]
    [InlineData("""{"sae":{"k":[]}}""", "sae.k = []: expected a value, or a list of values to sweep")]
    [InlineData("""{"sae":{"k":[16,16]}}""", "sae.k = [16,16]: a value is named twice")]
    [InlineData("""{"sea":{}}""", "unknown parameter section sea; did you mean sae?")]
    [InlineData("""{"sae":3}""", "parameter section sae must be an object")]
    [InlineData("""{"extraction":{"hookPoints":[1]}}""", "hookPoints = [1]: expected a list of names")]
    [InlineData(
        """{"extraction":{"toleratedFailures":2}}""",
        "extraction.toleratedFailures = 2: expected the share of shards that may fail, 0 to 1"
    )]
    [InlineData("""{"tuning":{"seeds":"many"}}""", "tuning.seeds = \"many\": expected how many, or a list of whole numbers")]
    public void What_cannot_be_planned_is_told(string parameters, string message) =>
        Should.Throw<UserErrorException>(() => Plan(parameters)).Message.ShouldStartWith(message);

    [Fact]
    public void Failed_shards_are_tolerated_only_where_asked_for_and_the_stage_never_sees_it()
    {
        var tolerant = Stage(Plan("""{"extraction":{"toleratedFailures":0.01}}"""), ParameterSections.Extraction);

        tolerant.ToleratedFailures.ShouldBe(0.01);
        tolerant.Parameters.ContainsKey("toleratedFailures").ShouldBeFalse();
        Plan("{}").Stages.ShouldAllBe(stage => stage.ToleratedFailures == 0);
    }

    [Theory]
    [InlineData(0.29, 100, 29)]
    [InlineData(0.01, 99, 0)]
    [InlineData(1, 3, 2)]
    [InlineData(0.5, 1, 0)]
    public void The_tolerated_share_is_rounded_down_and_leaves_one(double share, int units, int tolerated) =>
        StageState
            .ToleratedBy(
                new StagePlan("s", [], [.. Enumerable.Range(0, units).Select(unit => new UnitPlan($"u{unit}", [], []))], [], share)
            )
            .ShouldBe(tolerated);

    [Fact]
    public void Hook_points_of_the_text_tower_bring_vocabulary_and_embeddings_of_captions()
    {
        var plan = Plan("""{"extraction":{"hookPoints":["mlp@0","text.mlp@1"]}}""");

        var extraction = Stage(plan, ParameterSections.Extraction);
        extraction.Parameters["hookPoints"]!.ToJsonString().ShouldBe("""["mlp@0","text.mlp@1","image-embedding","text-embedding"]""");
        extraction.Inputs.ShouldContain(new InputSelector("tokenizer", "model:tokenizer"));
        var sae = Stage(plan, ParameterSections.Sae);
        sae.Units[1]
            .Inputs.Select(input => input.From)
            .ShouldBe(["embedding-extraction/*:text.mlp@1", "embedding-extraction/*:text-embedding"]);
        sae.Units[0].Inputs.Select(input => input.From).ShouldBe(["embedding-extraction/*:mlp@0"]);
        Stage(Plan("""{"extraction":{"hookPoints":["mlp@0"]}}"""), ParameterSections.Extraction)
            .Inputs.ShouldNotContain(input => input.As == "tokenizer");
    }

    [Fact]
    public void Of_the_text_tower_alone_a_sweep_ends_with_training_and_a_run_is_refused()
    {
        const string Texts = """{"extraction":{"hookPoints":["text.mlp@1","text-embedding"]}}""";

        RunPlanner
            .Sweep(Request(Texts), NoDefaults)
            .Stages.Select(stage => stage.Stage)
            .ShouldBe([ParameterSections.Extraction, ParameterSections.Sae, ParameterSections.Report]);
        var (extraction, training) = RunPlanner.Sweep(Request(Texts), NoDefaults).Stages is [var first, var second, ..]
            ? (first, second)
            : default;
        extraction.Parameters["hookPoints"]!.ToJsonString().ShouldBe("""["text.mlp@1","text-embedding"]""");
        training.Inputs.ShouldNotContain(input => input.As == "embeddings");
        RunPlanner
            .Sweep(Request("{}"), NoDefaults)
            .Stages.Select(stage => stage.Stage)
            .ShouldBe([ParameterSections.Extraction, ParameterSections.Sae, ParameterSections.Curation, ParameterSections.Report]);
        Should
            .Throw<UserErrorException>(() => Plan(Texts))
            .Message.ShouldStartWith(
                "extraction.hookPoints: text.mlp@1, text-embedding are in the text tower, "
                    + "but text-salient features are found in pictures: name a point of the vision tower too"
            );
    }

    [Theory]
    [InlineData("""{"tuning":{"adapter":{"kind":"lora"}}}""", true)]
    [InlineData("""{"tuning":{"adapter":null}}""", false)]
    [InlineData("{}", false)]
    public void Conversion_knows_the_base_where_an_adapter_is_trained(string parameters, bool isKnown) =>
        Stage(Plan(parameters), ParameterSections.Conversion).Inputs.Contains(new InputSelector("base", "model:weights")).ShouldBe(isKnown);

    [Fact]
    public void A_run_without_data_is_refused() =>
        Should.Throw<UserErrorException>(() => RunPlanner.Plan(new RunSpec(new Dictionary<string, ArtifactRef>(), []), NoDefaults));

    [Fact]
    public void The_plan_stands_the_validation_of_its_inputs_and_names()
    {
        string[] stages = [.. ParameterSections.All.Select(pair => pair.Stage)];
        var request = Request("{}");

        RunPlanValidation.Require(RunPlanner.Plan(request, NoDefaults), request.Inputs, stages);
        Should
            .Throw<UserErrorException>(() =>
                RunPlanValidation.Require(
                    RunPlanner.Plan(request, NoDefaults),
                    request.Inputs.Where(input => input.Key != "model:weights").ToDictionary(),
                    stages
                )
            )
            .Message.ShouldContain("needs run input model:weights");
    }

    private static RunPlan Plan(string parameters) => RunPlanner.Plan(Request(parameters), NoDefaults);

    private static RunSpec Request(string parameters) =>
        new(
            new[] { "model:weights", "model:tokenizer", "dataset:manifest", "dataset:shards/00001", "dataset:shards/00000" }.ToDictionary(
                name => name,
                name => new ArtifactRef("sha256:" + name, 1, "x/y", name)
            ),
            JsonNode.Parse(parameters)!.AsObject(),
            7
        );

    private static StagePlan Stage(RunPlan plan, string stage) => plan.Stages.Single(planned => planned.Stage == stage);

    private static IEnumerable<string> Units(RunPlan plan, string stage) => Stage(plan, stage).Units.Select(unit => unit.Name);
}
