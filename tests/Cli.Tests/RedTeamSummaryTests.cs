using ClipSae.Cli.Output;
using ClipSae.Results.Curation;
using ClipSae.Results.Tuning;

namespace ClipSae.Cli.Tests;

public sealed class RedTeamSummaryTests
{
    [Fact]
    public void What_is_read_and_hardly_read_is_said_with_the_attacks_that_fool()
    {
        var metrics = Metrics(596, 298) with
        {
            RedTeam = new RedTeamMetrics(
                [new("small", true, 100, 4, 1), new("plate", false, 50, 40, 8), new("outline", false, 10, 3, 1)],
                []
            ),
        };

        RedTeamSummary
            .Lines(metrics)
            .ShouldBe([
                "attacks: 298 of 596 printed words fooled the base (50.0 %).",
                "print: the base reads 'plate' (80.0 %) best; it hardly reads 'small' (4.0 %).",
            ]);
        RedTeamSummary.Lines(null).ShouldBeEmpty();
    }

    [Fact]
    public void One_style_that_is_hardly_read_is_said_with_the_family_that_is()
    {
        var metrics = Metrics(100, 11) with { BetterRead = new ReadFamily("plate", 96, 48) };

        RedTeamSummary
            .Lines(metrics)
            .Last()
            .ShouldBe(
                "print: the base hardly reads the style that was printed; "
                    + "of the families it reads 'plate' best (50.0 % of 96 words): --set curation.families=all."
            );
    }

    [Fact]
    public void Families_that_were_not_trained_on_come_first_the_worst_of_each_part_on_top()
    {
        FamilyComparison[] families =
        [
            new("plate", false, 32, new(0, 1), new(0.8, 0.1)),
            new("small", true, 60, new(0.4, 0.5), new(0.7, 0.2)),
            new("curved", true, 60, new(0.2, 0.7), new(0.5, 0.4)),
        ];

        var lines = RedTeamSummary
            .Create(families)
            .ShouldNotBeNull()
            .Lines(80)
            .Select(line => line.Text)
            .Where(line => line.Contains('%', StringComparison.Ordinal))
            .Select(line => string.Join(' ', line.Split("  ", StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)))
            .ToArray();

        lines.ShouldBe([
            "curved (worst) no 70.0 % 40.0 % 20.0 % 50.0 %",
            "small no 50.0 % 20.0 % 40.0 % 70.0 %",
            "mean no 60.0 % 30.0 % 30.0 % 60.0 %",
            "plate yes 100.0 % 10.0 % 0.0 % 80.0 %",
            "mean yes 100.0 % 10.0 % 0.0 % 80.0 %",
        ]);
        RedTeamSummary.Create(null).ShouldBeNull();
    }

    private static CurationMetrics Metrics(int candidates, int fooled)
    {
        var accuracy = new AttackAccuracy(1, 0, 1);
        return new CurationMetrics("mlp@0", "mlp@0", 1, 1, candidates, fooled, fooled, 1, 0, [], accuracy, accuracy, [accuracy]);
    }
}
