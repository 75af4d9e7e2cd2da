using System.Text.Json.Nodes;

namespace ClipSae.Reporting.Tests;

public sealed class FamiliesOfPrintTests
{
    [Fact]
    public void Families_stand_in_one_table_and_the_worst_that_was_never_trained_on_is_named()
    {
        var curation = """{"candidates":596,"fooled":298,"redTeam":{"families":[{"family":"small","heldOut":true,"tried":100,"fooled":4},{"family":"plate","heldOut":false,"tried":50,"fooled":40}]}}""";
        var tuning = """{"families":[{"family":"small","heldOut":true,"images":60,"before":{"attacked":0.4,"attackSuccess":0.5},"after":{"attacked":0.7,"attackSuccess":0.2}}]}""";
        var page = ReportPage.Render(With(curation, tuning));

        page.ShouldContain("298 of the 596 words that curation printed fooled the base");
        page.ShouldContain("id=\"families\"");
        page.ShouldContain("most “plate” (80.0");
        page.ShouldContain("worst is “small” with 70.0");
    }

    [Fact]
    public void One_style_has_no_table_of_families_and_its_attacks_that_fool_are_said_all_the_same()
    {
        var page = ReportPage.Render(With("""{"candidates":10,"fooled":1}""", "{}"));

        page.ShouldNotContain("id=\"families\"");
        page.ShouldContain("1 of the 10 words that curation printed fooled the base");
    }

    private static ReportData With(string curation, string tuning)
    {
        var data = SampleRun.Data();
        return data with
        {
            Units = [.. data.Units.Select(unit => unit with
            {
                Figures = unit.Stage switch
                {
                    "attack-curation" => JsonNode.Parse(curation)!.AsObject(),
                    "fine-tuning" => JsonNode.Parse(tuning)!.AsObject(),
                    _ => unit.Figures,
                },
            })],
        };
    }
}
