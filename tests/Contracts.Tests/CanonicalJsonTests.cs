using System.Text.Json.Nodes;

namespace ClipSae.Contracts.Tests;

public class CanonicalJsonTests
{
    [Theory]
    [InlineData("""{ "b": 1, "a": [true, null, "x"] }""", """{"a":[true,null,"x"],"b":1}""")]
    [InlineData("""{"n":1.0}""", """{"n":1}""")]
    [InlineData("""{"n":1e3}""", """{"n":1000}""")]
    [InlineData("""{"n":0.10}""", """{"n":0.1}""")]
    [InlineData("""{"n":9223372036854775807}""", """{"n":9223372036854775807}""")]
    [InlineData("""{"n":-0}""", """{"n":0}""")]
    [InlineData("""{"s":"\u00e9\n"}""", """{"s":"é\n"}""")]
    [InlineData("""{"a":{},"A":[]}""", """{"A":[],"a":{}}""")]
    public void One_text_for_one_value(string written, string canonical) =>
        CanonicalJson.Serialize(JsonNode.Parse(written)).ShouldBe(canonical);

    [Fact]
    public void Values_from_code_and_from_text_agree()
    {
        var fromCode = new JsonObject
        {
            ["rate"] = 2e-4,
            ["k"] = 16,
            ["share"] = 1.0,
        };

        CanonicalJson.Serialize(fromCode).ShouldBe(CanonicalJson.Serialize(JsonNode.Parse("""{"share":1,"k":16,"rate":0.0002}""")));
    }
}
