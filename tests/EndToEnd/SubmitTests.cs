using System.Text.Json.Nodes;
using ClipSae.TestKit.Commands;
using ClipSae.TestKit.Files;

namespace ClipSae.EndToEnd;

/// <summary>What a command does about the distributed system without one being there.</summary>
public sealed class SubmitTests : IDisposable
{
    private static readonly Dictionary<string, string> NoBroker = new()
    {
        ["ClipSae__Bus"] = "rabbitmq",
        ["ClipSae__Broker__User"] = "nobody",
        ["ClipSae__Broker__Password"] = "none",
        ["ClipSae__Broker__Host"] = "127.0.0.1",
        ["ClipSae__Broker__Port"] = "1",
        ["ClipSae__Broker__StartTimeout"] = "1s",
    };

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task The_printed_event_is_one_object_however_long_it_is()
    {
        (
            await Command.RunAsync(["make-dataset", _folder.File("world"), "--train", "0", "--tuning", "40", "--evaluation", "0"])
        ).Code.ShouldBe(0);
        var words = Enumerable.Range(0, 3_000).Select(word => $"word{word}").ToArray();

        var printed = await Command.RunAsync(
            [
                "submit",
                "--dataset",
                _folder.File("world", "tuning"),
                "--model",
                Path.Combine(AppContext.BaseDirectory, "Demo", "model.safetensors"),
                "--data",
                _folder.File("data"),
                "--preset",
                "vit-l-14",
                "--set",
                "sae.epochs=2",
                "--set",
                $"curation.words={string.Join(',', words)}",
                "--print",
            ],
            environment: NoBroker
        );

        printed.Code.ShouldBe(0, printed.Error);
        printed.Out.Length.ShouldBeGreaterThan(30_000);
        printed.Out.TrimEnd('\n').ShouldNotContain("\n");
        var message = JsonNode.Parse(printed.Out)!;
        message["parameters"]!["curation"]!["words"]!.AsArray().Select(word => word!.GetValue<string>()).ShouldBe(words);
        message["inputs"]!["dataset:shards/00000"]!["digest"]!.GetValue<string>().ShouldStartWith("sha256:");
    }

    [Theory]
    [InlineData("ClipSae__Bus", "rabbit", "Bus = rabbit: known are memory and rabbitmq")]
    [InlineData("ClipSae__Store", "s3", "ClipSae__Bus")]
    [InlineData("ClipSae__StopTimeout", "60", "expected a time such as 30s")]
    public async Task A_setting_that_cannot_be_meant_is_wrong_use(string name, string value, string expected) =>
        (
            await Command.RunAsync(["runs", "--data", _folder.File("data")], environment: new Dictionary<string, string> { [name] = value })
        ).ShouldRefuse(2, expected);

    [Fact]
    public async Task Doctor_looks_at_the_broker_that_the_environment_names()
    {
        var doctor = await Command.RunAsync(["doctor", "--json", "--data", _folder.File("data")], environment: NoBroker);

        doctor.Code.ShouldBe(1, doctor.Error);
        var broker = doctor.Json["checks"]!
            .AsArray()
            .Where(check => check!["check"]!.GetValue<string>() is "broker" or "bucket")
            .ShouldHaveSingleItem()!;
        broker["grade"]!.GetValue<string>().ShouldBe("fail");
        broker["detail"]!.GetValue<string>().ShouldContain("amqp://127.0.0.1:1 cannot be reached");
    }
}
