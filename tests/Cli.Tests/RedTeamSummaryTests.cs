using System.Text.Json.Nodes;

namespace ClipSae.Cli.Tests;

public sealed class RedTeamSummaryTests
{
    [Fact]
    public void What_is_read_and_hardly_read_is_said_with_the_attacks_that_fool()
    {
        var figures = JsonNode.Parse("""{"candidates":596,"fooled":298,"redTeam":{"families":[{"family":"small","tried":100,"fooled":4},{"family":"plate","tried":50,"fooled":40},{"family":"outline","tried":10,"fooled":3}]}}""")!.AsObject();

        RedTeamSummary.Lines(figures).ShouldBe(
        [
            "attacks: 298 of 596 printed words fooled the base (50.0 %).",
            "print: the base reads 'plate' (80.0 %) best; it hardly reads 'small' (4.0 %).",
        ]);
        RedTeamSummary.Lines(null).ShouldBeEmpty();
    }

    [Fact]
    public void One_style_that_is_hardly_read_is_said_with_the_family_that_is()
    {
        var figures = JsonNode.Parse("""{"candidates":100,"fooled":11,"betterRead":{"family":"plate","tried":96,"fooled":48}}""")!.AsObject();

        RedTeamSummary.Lines(figures).Last().ShouldBe("print: the base hardly reads the style that was printed; of the families it reads 'plate' best (50.0 % of 96 words): --set curation.families=all.");
    }

    [Fact]
    public void Families_that_were_not_trained_on_come_first_the_worst_of_each_part_on_top()
    {
        var families = JsonNode.Parse("""
            [{"family":"plate","heldOut":false,"images":32,"before":{"attacked":0.0,"attackSuccess":1.0},"after":{"attacked":0.8,"attackSuccess":0.1}},
             {"family":"small","heldOut":true,"images":60,"before":{"attacked":0.4,"attackSuccess":0.5},"after":{"attacked":0.7,"attackSuccess":0.2}},
             {"family":"curved","heldOut":true,"images":60,"before":{"attacked":0.2,"attackSuccess":0.7},"after":{"attacked":0.5,"attackSuccess":0.4}}]
            """)!.AsArray();

        var lines = RedTeamSummary.Create(families).ShouldNotBeNull().Lines(80).Select(line => line.Text).Where(line => line.Contains('%', StringComparison.Ordinal))
            .Select(line => string.Join(' ', line.Split("  ", StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))).ToArray();

        lines.ShouldBe(
        [
            "curved (worst) no 70.0 % 40.0 % 20.0 % 50.0 %", "small no 50.0 % 20.0 % 40.0 % 70.0 %", "mean no 60.0 % 30.0 % 30.0 % 60.0 %",
            "plate yes 100.0 % 10.0 % 0.0 % 80.0 %", "mean yes 100.0 % 10.0 % 0.0 % 80.0 %",
        ]);
        RedTeamSummary.Create(null).ShouldBeNull();
    }
}
