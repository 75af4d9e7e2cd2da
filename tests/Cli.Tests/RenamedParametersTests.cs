using System.Text.Json.Nodes;
using ClipSae.Pipeline.Runs;
using ClipSae.Pipeline.Stages;
using ClipSae.Service;
using Microsoft.Extensions.DependencyInjection;

namespace ClipSae.Cli.Tests;

public sealed class RenamedParametersTests : IDisposable
{
    private readonly ServiceProvider _provider;

    public RenamedParametersTests()
    {
        var services = new ServiceCollection().AddSingleton(TimeProvider.System);
        StageCatalogue.AddAll(services);
        _provider = services.BuildServiceProvider();
    }

    public static TheoryData<string, string, string, string> All =>
        [.. RenamedParameters.All.Select(renamed => (renamed.Section, renamed.Stage, renamed.Former, renamed.Current))];

    public void Dispose() => _provider.Dispose();

    [Theory]
    [MemberData(nameof(All))]
    public void A_stage_knows_the_current_name_alone_and_refuses_the_former_with_one_line(
        string section,
        string stage,
        string former,
        string current
    )
    {
        ParameterSections.All.ShouldContain((section, stage));
        var known = _provider.GetServices<IStage>().Single(one => one.Name == stage);

        Should
            .Throw<UserErrorException>(() => known.Normalize(With(former)))
            .Message.ShouldBe($"{section}.{former} is called {section}.{current} now");
        Value(known.Normalize(Whole(current)), current).ShouldBe(Value(Whole(current), current));
    }

    // Any value does where a name is refused.
    private static JsonObject With(string path) => Nested(path, 1);

    /// <summary>Parameters with a value that the stage takes, and no default, at the path.</summary>
    private static JsonObject Whole(string path)
    {
        var whole = Nested(
            path,
            path switch
            {
                "dtype" => "float16",
                "compute" => "bfloat16",
                "promptTemplate" => "the {}",
                "promptTemplates" => new JsonArray("the {}"),
                "learningRates" => JsonNode.Parse(
                    """{"vision":0.5,"text":0.5,"tokenEmbedding":0.5,"positions":0.5,"projections":0.5,"nullToken":0.5}"""
                )!,
                "batchSize" => 7,
                "imageSide" => 100,
                "schedule.warmUpSteps" => 7,
                _ => 0.125,
            }
        );
        foreach (
            var (holder, kind) in new[]
            {
                ("adapter", "lora"),
                ("schedule", path.EndsWith("Share", StringComparison.Ordinal) ? "one-cycle" : "cosine"),
            }
        )
        {
            if (whole[holder] is JsonObject members)
            {
                members["kind"] = kind;
            }
        }

        return whole;
    }

    private static JsonObject Nested(string path, JsonNode value) =>
        path.Split('.').Reverse().Aggregate(value, (inner, step) => new JsonObject { [step] = inner }).AsObject();

    private static string Value(JsonObject parameters, string path) =>
        path.Split('.').Aggregate<string, JsonNode>(parameters, (node, step) => node[step]!).ToJsonString();
}
