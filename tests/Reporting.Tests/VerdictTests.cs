using System.Net;
using ClipSae.Pages;
using ClipSae.Reporting.Data;
using ClipSae.Results.Evaluation;
using ClipSae.Results.Tuning;

namespace ClipSae.Reporting.Tests;

public class VerdictTests
{
    [Theory]
    [InlineData(0.999, 0.882, 0.9, 0.9, "Most attacks still succeed of those that did: 99.9 % → 88.2 %. The model is not fixed.")]
    [InlineData(0.9, 0.4, 0.9, 0.9, "More than half of the attacks that succeeded fail now: 90.0 % → 40.0 %.")]
    [InlineData(0.9, 0.02, 0.9, 0.85, "Most attacks fail now: 90.0 % → 2.0 %. It costs 5.0 points of clean accuracy (90.0 % → 85.0 %).")]
    [InlineData(0.5, 0.6, 0.9, 0.9, "Fine-tuning made it worse: the attack success rate rose from 50.0 % to 60.0 %.")]
    [InlineData(0.5, 0.5, 0.9, 0.9, "Fine-tuning changed next to nothing.")]
    [InlineData(
        0.01,
        0.01,
        0.9,
        0.9,
        "This print hardly fools the base model, so there was little to gain, and fine-tuning changed next to nothing."
    )]
    [InlineData(0.01, 0.0, 0.9, 0.9, "This print hardly fools the base model, so there is little to gain here (1.0 % → 0.0 %).")]
    public void Says_no_more_than_the_figures(double before, double after, double cleanBefore, double cleanAfter, string said) =>
        Verdict.Of(before, after, cleanBefore, cleanAfter).ShouldBe(said);

    [Fact]
    public void Says_nothing_of_attacks_that_were_not_scored() => Verdict.Of(null, 0.1, 0.9, 0.9).ShouldBeNull();

    [Fact]
    public void A_rate_that_stays_high_is_not_called_better_and_the_most_frequent_outcome_comes_first()
    {
        var data = SampleRun.Data();
        var results = data.Results!.Models.Aggregate(data.Results, (results, model) =>
            results.With(model.Name, (set, scores) =>
                !set.StartsWith("attacked", StringComparison.Ordinal)
                    ? scores
                    : scores with
                    {
                        AttackSuccess = Interval(model.Arm is null ? 0.999 : 0.882),
                        AgainstBase = scores.AgainstBase is null
                            ? null
                            : scores.AgainstBase with
                            {
                                AttackSuccess = Interval(-0.117),
                                McNemar = new McNemar(300, 12, scores.AgainstBase.McNemar.PValue),
                            },
                    }
            )
        );

        var page = Read(data with { Results = results });

        page.ShouldContain("Most attacks still succeed of those that did: 99.9 % → 88.2 %. The model is not fixed.");
        page.ShouldContain("lower, but most still succeed");
        page.ShouldContain("<h3>Made worse: 604 ");
        Place("<h3>Still wrong: ").ShouldBeLessThan(Place("<h3>Fixed: "));
        page.ShouldContain("n = 799");

        int Place(string heading)
        {
            var place = page.IndexOf(heading, StringComparison.Ordinal);
            place.ShouldBeGreaterThan(0, heading);
            return place;
        }
    }

    [Fact]
    public void Rates_of_curation_and_evaluation_that_disagree_are_named_with_their_reason()
    {
        var data = SampleRun.Data();
        ReportPage.Render(data).ShouldNotContain("Two rates differ");

        Read(data with { Curation = SampleRun.Curation(596, 9) })
            .ShouldContain("of curation’s 596 printed words 1.5\u202f% fooled the base model, on the set “attacked-heldout” (n = 799)");
    }

    [Fact]
    public void A_validation_on_three_attacks_is_no_curve()
    {
        var data = SampleRun.Data();
        ReportPage.Render(data).ShouldContain("aria-label=\"Validation: ");

        var tuned = new TuningMetrics("penalise", 0, 120, 3900, 340, CleanValidationImages: 27, AttackValidationImages: 3);
        var page = ReportPage.Render(data with { Tuning = [KeyValuePair.Create("penalise.s0", tuned)] });

        page.ShouldNotContain("aria-label=\"Validation: ");
        page.ShouldContain("Validation saw 27 clean pictures and 3 attacks: too few for a curve");
    }

    [Fact]
    public void An_ablation_that_does_not_help_is_the_verdict_on_the_features()
    {
        var data = SampleRun.Data();
        ReportPage.Render(data).ShouldContain("Features that fire for text");
        var chosen = data.Salient!.Layers[0];
        chosen = chosen with
        {
            Before = chosen.Before with { AttackSuccess = 0.007 },
            Ablation = chosen.Ablation with { AttackSuccess = 0.013 },
        };

        var page = Read(
            data with
            {
                Salient = data.Salient with { Layers = [chosen, .. data.Salient.Layers.Skip(1)] },
                Printed = new HashSet<string>(),
            }
        );

        page.ShouldContain(
            "No: with the features that are used ablated, "
                + "a printed word fools the base model on 1.3\u202f% of images, untouched on 0.7\u202f%"
        );
        page.ShouldNotContain("Features that fire for text");
        page.ShouldContain("None of them is recorded as containing print");
    }

    [Fact]
    public void A_fine_tuning_that_moved_nothing_is_the_first_thing_said()
    {
        var data = SampleRun.Data();
        ReportPage.Render(data with { Tuning = [Moved("none.s0", 0.02)] }).ShouldNotContain("by less than a thousandth");

        var page = ReportPage.Render(data with { Tuning = [Moved("none.s0", 0.02), Moved("penalise.s0", 0.0004)] });

        page.ShouldContain(
            "<p class=\"verdict\">Fine-tuning changed the weights of penalise.s0 by less than a thousandth: "
                + "the learning rates are too low for this model"
        );
        ReportPage
            .Render(data with { Tuning = [Moved("none.s0", 0.0004)], Results = null })
            .ShouldContain("the weights of none.s0 by less than a thousandth");

        static KeyValuePair<string, TuningMetrics> Moved(string unit, double share) =>
            KeyValuePair.Create(unit, new TuningMetrics("none", 0, 120, 3900, 340, Drift: new WeightDrift(120, share, share)));
    }

    [Fact]
    public void Each_set_tells_among_how_many_classes_and_words_is_chosen()
    {
        var data = SampleRun.Data();
        var results = data.Results!.With("attacked", set =>
            set with
            {
                Classes = 10,
                Candidates = [.. Enumerable.Range(0, 16).Select(index => $"c{index}")],
            }
        );

        ReportPage.Render(data with { Results = results }).ShouldContain("10 classes and 6 words");
    }

    private static string Read(ReportData data) => WebUtility.HtmlDecode(ReportPage.Render(data));

    private static Interval Interval(double value) => SampleEvaluation.Interval(value, 0.01);
}
