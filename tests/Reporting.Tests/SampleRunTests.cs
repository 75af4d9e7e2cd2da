using System.Text.Json.Nodes;
using ClipSae.SaeTraining.Tests;

namespace ClipSae.Reporting.Tests;

/// <summary>The sample has the fields that stages really leave, so that what is seen of the page is what users see.</summary>
public sealed class SampleRunTests
{
    [Fact]
    public async Task Autoencoders_have_the_fields_of_trained_ones()
    {
        using var bench = new SaeTrainingBench();
        var result = await bench.Stage.RunAsync(bench.Context(await bench.InputsAsync()), CancellationToken.None);
        var statistics = await bench.JsonAsync(result.Outputs["statistics"]);
        var sample = SampleRun.Data().Autoencoders[0];

        Fields(sample.Figures).ShouldBe(Fields(result.Figures));
        Fields(sample.Statistics!["features"]).ShouldBe(Fields(statistics["features"]));
    }

    /// <summary>Paths of all values; of a list, those of all its entries.</summary>
    private static IEnumerable<string> Fields(JsonNode? node) => Paths(node, "").Distinct().Order(StringComparer.Ordinal);

    private static IEnumerable<string> Paths(JsonNode? node, string path) => node switch
    {
        JsonObject members => members.SelectMany(member => Paths(member.Value, $"{path}.{member.Key}")),
        JsonArray { Count: > 0 } items => items.SelectMany(item => Paths(item, path + "[]")),
        _ => [path],
    };
}
