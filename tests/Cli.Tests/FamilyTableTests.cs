using ClipSae.Cli.Output;
using ClipSae.Results.Evaluation;

namespace ClipSae.Cli.Tests;

public sealed class FamilyTableTests
{
    [Fact]
    public void The_family_that_is_worst_after_tuning_comes_first_and_the_mean_last()
    {
        var before = new Dictionary<string, FamilyAccuracy> { ["plate"] = new(0, 1), ["sign"] = new(0.2, 0.6) };
        var after = new Dictionary<string, FamilyAccuracy> { ["plate"] = new(0.6, 0), ["sign"] = new(0.4, 0.2) };

        var lines = FamilyTable
            .Create(before, after)
            .ShouldNotBeNull()
            .Lines(80)
            .Select(line => line.Text)
            .Where(line => line.Contains('%', StringComparison.Ordinal))
            .ToArray();

        lines.Length.ShouldBe(3);
        lines[0].ShouldContain("sign (worst)");
        lines[1].ShouldContain("plate");
        // The means of 0 and 0.2, 1 and 0.6, 0.6 and 0.4, 0 and 0.2.
        lines[2]
            .Split("  ", StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
            .ShouldBe(["mean", "10.0 %", "80.0 %", "50.0 %", "10.0 %"]);
    }

    [Fact]
    public void Without_families_there_is_no_table() => FamilyTable.Create(null, null).ShouldBeNull();
}
