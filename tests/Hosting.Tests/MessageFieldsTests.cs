using System.Text.Json;
using ClipSae.Hosting.Bus;

namespace ClipSae.Hosting.Tests;

public class MessageFieldsTests
{
    [Theory]
    [InlineData("""{"inputs":{},"parameters":{},"seeed":3}""", "dataset-ready: seeed is not a field of this message; did you mean seed?")]
    [InlineData("""{"inputs":{},"parameters":{},"seed":"x"}""", "dataset-ready: seed = \"x\": expected a whole number")]
    [InlineData("""{"inputs":{},"parameters":{},"seed":1.5}""", "dataset-ready: seed = 1.5: expected a whole number")]
    [InlineData("""{"inputs":{},"parameters":{},"verify":"yes"}""", "dataset-ready: verify = \"yes\": expected true or false")]
    [InlineData("""{"inputs":5,"parameters":{}}""", "dataset-ready: inputs = 5: expected an object")]
    [InlineData(
        """{"inputs":{"model:weights":{"digest":5,"length":1,"mediaType":"a","name":"b"}},"parameters":{}}""",
        "dataset-ready: inputs.model:weights.digest = 5: expected a text"
    )]
    [InlineData(
        """{"inputs":{"model:weights":{"digest":"x","length":"1","mediaType":"a","name":"b"}},"parameters":{}}""",
        "dataset-ready: inputs.model:weights.length = \"1\": expected a whole number"
    )]
    [InlineData("""{"parameters":{}}""", "dataset-ready: inputs is missing")]
    [InlineData("""{"inputs":{},"parameters":null}""", "dataset-ready: parameters")]
    [InlineData(
        """{"inputs":{},"parameters":{},"plan":{"stages":[{"stage":"s","parameters":{},"units":[{"name":5,"parameters":{}"""
            + ""","inputs":[]}],"inputs":[]}]}}""",
        "dataset-ready: plan.stages[0].units[0].name = 5: expected a text"
    )]
    [InlineData("""{"inputs":{},"parameters":{},"seed":1,"seed":2}""", "dataset-ready: ")]
    [InlineData("5", "dataset-ready: the message = 5: expected an object")]
    public void What_does_not_fit_is_told_with_its_field(string text, string said)
    {
        using var message = JsonDocument.Parse(text);

        var error = Should.Throw<UserErrorException>(() =>
            MessageFields.Read(message.RootElement, typeof(DatasetReady), MessageFields.FromOutside, "dataset-ready")
        );

        error.Message.ShouldStartWith(said);
        error.Message.ShouldNotContain("token");
        error.Message.ShouldNotContain("System.");
        error.Message.ShouldNotContain("LineNumber");
    }

    [Fact]
    public void What_fits_is_read()
    {
        using var message = JsonDocument.Parse(
            """{"inputs":{"model:weights":{"digest":"sha256:aa","length":1,"mediaType":"a","name":"b"}},"parameters":{"sae":{"k":3}}}"""
        );

        (
            (DatasetReady)MessageFields.Read(message.RootElement, typeof(DatasetReady), MessageFields.FromOutside, "dataset-ready")
        ).Spec.Inputs.ShouldContainKey("model:weights");
    }

    [Fact]
    public void Between_processes_a_field_of_a_newer_one_is_passed_over_and_a_missing_one_is_not()
    {
        using var newer = JsonDocument.Parse("""{"run":"r","reason":"why","since":"2027"}""");
        using var broken = JsonDocument.Parse("""{"run":"r"}""");

        MessageFields.Read(newer.RootElement, typeof(CancelRun), MessageFields.BetweenProcesses, "m").ShouldBe(new CancelRun("r", "why"));
        Should
            .Throw<UserErrorException>(() => MessageFields.Read(broken.RootElement, typeof(CancelRun), MessageFields.BetweenProcesses, "m"))
            .Message.ShouldBe("m: reason is missing");
    }
}
