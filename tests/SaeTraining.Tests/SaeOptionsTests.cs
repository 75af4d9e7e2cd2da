using System.Text.Json;

namespace ClipSae.SaeTraining.Tests;

public sealed class SaeOptionsTests
{
    [Theory]
    [InlineData(0, 0, 1_000, 30)]
    [InlineData(0, 20, 1_000, 20)]
    [InlineData(0, 40, 1_000, 30)]
    [InlineData(25, 20, 1_000, 25)]
    [InlineData(0, 20, 50, 3)]
    public void Steps_are_those_of_the_epochs_up_to_a_limit_or_those_named(int steps, int maxSteps, long rows, int expected) =>
        new SaeOptions
        {
            Epochs = 3,
            BatchSize = 100,
            Steps = steps,
            MaxSteps = maxSteps,
        }
            .For(width: 64, rows)
            .Steps.ShouldBe(expected);

    [Fact]
    public void No_limit_leaves_the_key_of_a_result_as_it_was() => JsonSerializer.Serialize(new SaeOptions()).ShouldNotContain("axSteps");
}
