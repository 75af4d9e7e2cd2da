using System.Text.Json;
using ClipSae.Pipeline.Runs;

namespace ClipSae.Pipeline.Tests;

public class RunPlanValidationTests
{
    [Theory]
    [InlineData("""{"stages":[null]}""", "stages[0] is null")]
    [InlineData("""{"stages":[{"stage":"a","parameters":{},"units":[null],"inputs":[]}]}""", "stages[0].units[0] is null")]
    [InlineData(
        """{"stages":[{"stage":"a","parameters":{},"units":[{"name":"u","parameters":{},"inputs":[null]}],"inputs":[]}]}""",
        "stages[0].units[0].inputs[0] is null"
    )]
    [InlineData(
        """{"stages":[{"stage":"a","parameters":{},"units":[{"name":"u","parameters":{},"inputs":[]}],"inputs":[null]}]}""",
        "stages[0].inputs[0] is null"
    )]
    [InlineData(
        """{"stages":[{"stage":"dead-units","parameters":{},"units":[{"name":"u","parameters":{},"inputs":[]}],"inputs":[]}]}""",
        "stage 'dead-units', which is not a valid name"
    )]
    [InlineData(
        """{"stages":[{"stage":"fine-tuning-interactive","parameters":{},"units":[{"name":"u","parameters":{},"inputs":[]}]"""
            + ""","inputs":[]}]}""",
        "stage 'fine-tuning-interactive', which is not a valid name"
    )]
    [InlineData(
        """{"stages":[{"stage":"../up","parameters":{},"units":[{"name":"u","parameters":{},"inputs":[]}],"inputs":[]}]}""",
        "stage '../up', which is not a valid name"
    )]
    public void What_no_worker_could_carry_out_is_named(string plan, string said) =>
        Should
            .Throw<UserErrorException>(() =>
                RunPlanValidation.Require(
                    JsonSerializer.Deserialize<RunPlan>(plan, ContractJson.Options)!,
                    new Dictionary<string, ArtifactRef>(),
                    null
                )
            )
            .Message.ShouldContain(said);
}
