using ClipSae.Results.Curation;

namespace ClipSae.Reporting.Tests;

public sealed class FamiliesOfPrintTests
{
    [Fact]
    public void Families_stand_in_one_table_and_the_worst_that_was_never_trained_on_is_named()
    {
        var data = SampleRun.Data();
        var page = ReportPage.Render(
            data with
            {
                Curation = SampleRun.Curation(596, 298) with
                {
                    RedTeam = new RedTeamMetrics([new("small", true, 100, 4, 2), new("plate", false, 50, 40, 9)], []),
                },
                Tuning =
                [
                    .. data.Tuning.Select(unit =>
                        KeyValuePair.Create(unit.Key, unit.Value with { Families = [new("small", true, 60, new(0.4, 0.5), new(0.7, 0.2))] })
                    ),
                ],
            }
        );

        page.ShouldContain("298 of the 596 words that curation printed fooled the base");
        page.ShouldContain("id=\"families\"");
        page.ShouldContain("most “plate” (80.0");
        page.ShouldContain("worst is “small” with 70.0");
    }

    [Fact]
    public void One_style_has_no_table_of_families_and_its_attacks_that_fool_are_said_all_the_same()
    {
        var page = ReportPage.Render(SampleRun.Data() with { Curation = SampleRun.Curation(10, 1) });

        page.ShouldNotContain("id=\"families\"");
        page.ShouldContain("1 of the 10 words that curation printed fooled the base");
    }
}
