using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using ClipSae.Pages;
using ClipSae.Pipeline.Events;
using ClipSae.Reporting.Data;
using ClipSae.Results;
using ClipSae.Results.Evaluation;
using ClipSae.Results.Tuning;

namespace ClipSae.Reporting.Tests;

public sealed partial class ReportPageTests
{
    private const int MaxPage = 3 << 20;

    [Fact]
    public void A_whole_run_is_told_in_one_small_file()
    {
        var page = ReportPage.Render(SampleRun.Data());

        // Left beside the tests for a look in a browser.
        File.WriteAllText(Path.Combine(AppContext.BaseDirectory, "sample-report.html"), page);
        page.Length.ShouldBeLessThan(MaxPage);
        foreach (
            var id in new[]
            {
                "models",
                "arms",
                "images",
                "sae",
                "causal",
                "features",
                "attacks",
                "training",
                "timeline",
                "data",
                "provenance",
            }
        )
        {
            page.ShouldContain($"<section id=\"{id}\"><details class=\"part\"><summary><h2>");
        }

        page.ShouldContain("<section id=\"before-after\"><details class=\"part\" open><summary><h2>");
    }

    [Fact]
    public void The_change_of_the_text_tower_is_a_folded_table_and_one_line_where_there_is_none()
    {
        var data = SampleRun.Data();
        ReportPage.Render(data).ShouldNotContain("id=\"text-states\"");
        var tuned = data.Results!.Models.Single(model => model.Name == data.Results.Tuned);
        string Render(params TextStateChange[] states) =>
            ReportPage.Render(
                data with
                {
                    Results = data.Results with
                    {
                        Models = [.. data.Results.Models.Select(model => model == tuned ? model with { TextStates = states } : model)],
                    },
                }
            );

        var changed = Render(new("last", "prompt", 240, 0.9871, 0.9, 1.0312), new("pooled", "whole text", 24, 1, 1, 1));
        changed.ShouldContain("<section id=\"text-states\"><details class=\"part\"><summary><h2>Text tower</h2>");
        changed.ShouldContain(
            "<tr><td>last</td><td>prompt</td><td class=\"n\">240</td><td class=\"n\">0.987</td><td class=\"n\">0.900</td>"
                + "<td class=\"n\">1.031</td></tr>"
        );
        // What Geometric Parametrization and back rounds is no change.
        var same = Render(new("last", "prompt", 240, 1, 0.9999999, 1.000001), new("pooled", "whole text", 24, 1, 1, 1));
        same.ShouldContain($"Text tower of <b>{tuned.Name}</b>: unchanged.");
        same.ShouldNotContain("cosine, lowest");
    }

    [Fact]
    public void The_first_screen_has_the_worst_family_of_print_reading_and_the_trade_off_of_all_models()
    {
        var data = SampleRun.Data();
        var attacked = data.Results!.Sets.First(set => set.Protocol == Protocols.Attacked).Name;
        EvaluationResults Of(params (string Set, double Accuracy)[] families) =>
            data.Results with
            {
                Sets =
                [
                    .. data.Results.Sets,
                    .. families.Select(family => data.Results.Sets.First(set => set.Name == attacked) with { Name = family.Set }),
                ],
                Models =
                [
                    .. data.Results.Models.Select(model =>
                        model with
                        {
                            Sets = model
                                .Sets.Concat(
                                    families.Select(family =>
                                        KeyValuePair.Create(
                                            family.Set,
                                            model.Sets[attacked] with
                                            {
                                                Accuracy = model.Sets[attacked].Accuracy with { Value = family.Accuracy },
                                            }
                                        )
                                    )
                                )
                                .ToDictionary(StringComparer.Ordinal),
                        }
                    ),
                ],
            };
        string Head(EvaluationResults results) => ReportPage.Render(data with { Results = results }).Split("<main")[0];

        var head = Head(Of(("attacked-serif", 0.61), ("attacked-curved", 0.42)));

        head.ShouldContain("Worst family of print: curved");
        head.ShouldContain("Words alone, read as words");
        head.ShouldContain("Clean accuracy against the worst family of print");
        Head(data.Results).ShouldNotContain("Worst family of print:");
    }

    [Fact]
    public void The_page_asks_for_nothing_outside_itself()
    {
        var page = ReportPage.Render(SampleRun.Data());

        Sources()
            .Matches(page)
            .Select(match => match.Groups[1].Value)
            .ShouldAllBe(source => source.StartsWith("data:image/", StringComparison.Ordinal) || source.StartsWith('#'));
        page.ShouldNotContain("<script");
        page.ShouldNotContain("@import");
        page.ShouldNotContain("url(");
    }

    [Fact]
    public void Whatever_a_data_set_says_is_text_and_never_markup()
    {
        const string attack = "<script>alert(1)</script>\"><img src=x onerror=alert(2)>'";
        var data = SampleRun.Data();
        var results = Encoding.UTF8.GetString(ResultFormats.Evaluation.Write(data.Results!));
        var example = data.Examples[0];
        var answer = example.Answers[0];
        var page = ReportPage.Render(
            data with
            {
                Run = attack,
                Origin = attack,
                Results = ResultFormats.Evaluation.Read(
                    Encoding.UTF8.GetBytes(
                        results
                            .Replace("images/00004.png", JsonText(attack), StringComparison.Ordinal)
                            .Replace("penalise", JsonText(attack), StringComparison.Ordinal)
                    ),
                    "results"
                ),
                Examples =
                [
                    example with
                    {
                        Label = attack,
                        Word = attack,
                        Answers =
                        [
                            answer with
                            {
                                Candidates = [answer.Candidates[0] with { Text = attack }, .. answer.Candidates.Skip(1)],
                            },
                            .. example.Answers.Skip(1),
                        ],
                    },
                    .. data.Examples.Skip(1),
                ],
                Attacks = [new AttackImage("data:image/png;base64,", attack, attack, attack)],
                Autoencoders = [.. data.Autoencoders.Select(autoencoder => autoencoder with { Name = attack })],
                Parameters = new JsonObject { [attack] = attack },
                Units = [.. data.Units.Select(unit => unit with { Reason = attack, Unit = attack })],
            }
        );

        page.ShouldNotContain("<script");
        page.ShouldNotContain("<img src=x");
        page.ShouldContain("&lt;script&gt;");
    }

    [Fact]
    public void Random_controls_are_shown_beside_the_arms_they_control_and_named_as_such()
    {
        var page = ReportPage.Render(SampleRun.Data());

        page.ShouldContain("penalise-random");
        page.ShouldContain("random control");
        page.ShouldContain("highest score on the validation images");
    }

    [Fact]
    public void A_random_control_that_scores_higher_than_the_tuned_model_is_named()
    {
        var data = SampleRun.Data();
        var results = data.Results!.With("penalise-random.s0", (ModelScores model) => model with { Validation = 0.999 });

        ReportPage.Render(data with { Results = results }).ShouldContain("The random control penalise-random.s0 scores higher");
    }

    // Arm and control: the intervals of each by itself overlap widely, that of their difference does not hold 0.
    [Theory]
    [InlineData(3, 0.02, "Student’s interval over the differences of 3 seeds); the autoencoder’s choice helped.")]
    [InlineData(3, -0.02, "Student’s interval over the differences of 3 seeds); the random choice did better.")]
    [InlineData(3, 0.005, "Student’s interval over the differences of 3 seeds); these seeds show no difference.")]
    [InlineData(1, 0.02, "over the same images, McNemar p 0.0004); one seed each, which says nothing on whether another seed would agree.")]
    public void An_arm_is_judged_by_its_difference_to_its_control_and_not_by_one_seed(int seeds, double gain, string said)
    {
        var data = SampleRun.Data();
        var results = data.Results! with
        {
            Arms =
            [
                .. data.Results!.Arms.Select(arm =>
                    arm.Name != "suppress"
                        ? arm
                        : arm with
                        {
                            Sets = arm.Sets.ToDictionary(
                                set => set.Key,
                                set => set.Value with { AgainstControl = SampleEvaluation.Contrast(seeds, gain) }
                            ),
                        }
                ),
            ],
        };

        Read(data with { Results = results })
            .ShouldContain(
                $"<b>suppress</b> less its control: {Written.Points(gain)} ({Written.SignedRange(gain - 0.012, gain + 0.012)}, {said}"
            );
    }

    [Fact]
    public void An_arm_without_a_control_is_not_compared_with_one() =>
        ReportPage.Render(SampleRun.Data()).ShouldNotContain("<b>none</b> less its control");

    [Fact]
    public void What_of_a_set_is_unseen_is_counted_and_not_taken_from_its_name()
    {
        var data = SampleRun.Data();
        Titles(data).ShouldBe(["No print", "Printed word, words and fonts of the attacks", "Printed word, unseen words and fonts"]);

        data = data with
        {
            Results = data.Results!.With("attacked-heldout", set => set with { Fonts = ["Liberation Mono", "DejaVu Serif"] }),
        };
        Titles(data)[2].ShouldBe("Printed word, unseen words, 1 of 2 fonts among the attacks");
        data = data with { Results = data.Results!.With("attacked-heldout", set => set with { Words = ["bell", "zither", "abacus"] }) };
        data.Curated!.Words.ShouldContain("bell");
        Titles(data)[2].ShouldBe("Printed word, 1 of 3 words and 1 of 2 fonts among the attacks");

        Titles(data with { Curated = null })[1..].ShouldBe(["Printed word", "Printed word, held out"]);
        ReportPage.Render(data with { Curated = null }).ShouldNotContain("unseen");

        static string[] Titles(ReportData data) =>
            [.. new[] { "clean", "attacked", "attacked-heldout" }.Select(name => EvaluationView.Of(data)!.Title(name))];
    }

    [Fact]
    public void What_the_run_is_about_stands_below_its_name()
    {
        var data = SampleRun.Data();

        Read(data).ShouldContain("<p class=\"subject\">model on tuning, 3 images</p>");
        Read(data with { Inputs = new Dictionary<string, ArtifactRef>(), Dataset = null }).ShouldNotContain("class=\"subject\"");
    }

    [Fact]
    public void What_colours_tell_is_told_in_words_too()
    {
        var page = Read(SampleRun.Data());

        page.ShouldContain("<a class=\"skip\" href=\"#content\">");
        page.ShouldContain("<main id=\"content\">");
        Regex.Count(page, "<span class=\"aloud\">base: </span>").ShouldBe(Regex.Count(page, "<span class=\"aloud\">penalise.s0: </span>"));
        Regex.Count(page, "<span class=\"bar\"><i[^>]*></i><em><span class=\"aloud\">").ShouldBe(Regex.Count(page, "<span class=\"bar\">"));
        Regex.Count(page, "class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"[^\"]").ShouldBe(Regex.Count(page, "tabindex=\"0\""));
        page.ShouldMatch("aria-label=\"Loss: all ends at 0\\.\\d+; clean half ends at");
        page.ShouldContain("<b>b</b> clean half");
        page.ShouldContain(">b</text>");
        page.ShouldNotMatch("alt=\"(images/|\")");
    }

    [Fact]
    public void Curated_images_are_counted_by_kind_and_by_what_was_trained_on()
    {
        var page = Read(SampleRun.Data());

        page.ShouldContain("40 of 400 images. 360 have a printed word that fools the base model and excites the text-salient features; 40");
        page.ShouldContain(
            "own, as they are, on which the text-salient features fire. Fine-tuning trained on 340 of them, with their true captions."
        );
    }

    [Fact]
    public void Where_no_arm_learned_captions_none_are_told()
    {
        var data = SampleRun.Data();
        var curves = data.Curves.ToDictionary(
            entry => entry.Key,
            entry => entry.Value with { Steps = [.. entry.Value.Steps.Select(step => step with { AttackLoss = null })] },
            StringComparer.Ordinal
        );

        Read(data with { Curves = new SortedDictionary<string, TuningCurves>(curves, StringComparer.Ordinal) })
            .ShouldContain("Fine-tuning trained on 340 of them.");
    }

    [Fact]
    public void Attacks_on_which_no_salient_feature_fires_are_told_apart()
    {
        var data = SampleRun.Data();

        Read(data with { Curated = data.Curated! with { Firing = 90, Natural = 0 } })
            .ShouldContain("360 have a printed word that fools the base model, and on 90 of these the text-salient features fire.");
    }

    [Fact]
    public void Every_figure_of_an_autoencoder_is_told_with_what_chance_would_give()
    {
        var page = Read(SampleRun.Data());

        foreach (
            var said in new[]
            {
                "93.1\u202f% of 94.6\u202f%",
                "any image 0.382",
                "FVU 12.6\u202f%",
                "dense 0.4\u202f%",
                "180,127",
                "20,012 held out",
                "1,408",
                "dead after 144,179 rows",
            }
        )
        {
            page.ShouldContain(said);
        }
    }

    // Random features switched off: 94.6 % becomes 94.4, 94.5 and 94.0.
    [Fact]
    public void The_change_of_clean_accuracy_stands_beside_that_of_random_features() =>
        Read(SampleRun.Data()).ShouldContain($"<td class=\"n\">{Written.Points(-0.01)}</td><td class=\"n\">{Written.Points(-0.003)}</td>");

    [Theory]
    [InlineData("results")]
    [InlineData("examples")]
    [InlineData("salient")]
    [InlineData("autoencoders")]
    [InlineData("curves")]
    [InlineData("units")]
    [InlineData("tuned")]
    [InlineData("heldout")]
    [InlineData("attacked")]
    [InlineData("everything")]
    public void A_run_without_a_part_still_has_a_page(string part)
    {
        var data = SampleRun.Data();
        data = part switch
        {
            "results" => data with { Results = null },
            "examples" => data with { Examples = [] },
            "salient" => data with { Salient = null },
            "autoencoders" => data with { Autoencoders = [], Images = new Dictionary<string, string>() },
            "curves" => data with { Curves = new Dictionary<string, TuningCurves>() },
            "units" => data with { Units = [] },
            "tuned" => data with { Results = Without(data.Results!, _ => true, onlyBase: true) },
            "heldout" => data with { Results = Without(data.Results!, set => !set.EndsWith("heldout", StringComparison.Ordinal)) },
            "attacked" => data with { Results = Without(data.Results!, set => set == "clean") },
            _ => new ReportData { Run = "empty", At = SampleRun.Begin },
        };

        var page = ReportPage.Render(data);

        page.ShouldContain("<section id=\"provenance\">");
        page.ShouldNotMatch("[>:\\s]NaN");
        page.ShouldContain("</html>");
    }

    [Fact]
    public void The_page_names_the_version_of_each_stages_algorithm_and_what_computed_with_it()
    {
        var plan = new RunPlan([
            new StagePlan("sae-training", [], [new UnitPlan("a", [], []), new UnitPlan("b", [], [])], [], AlgorithmVersion: 7),
            new StagePlan("report", [], [], []),
        ]);
        StoredEvent Finished(long number, string unit, int threads) =>
            new(
                number,
                new UnitFinished(
                    "sae-training",
                    unit,
                    "w",
                    "key",
                    new Dictionary<string, ArtifactRef>(),
                    [],
                    new CacheOutcome(CacheKind.Hit, ""),
                    1,
                    SampleRun.Begin,
                    new ComputeTraits("0.1.0+abc", threads, "x64 avx512", "cpu")
                )
                {
                    At = SampleRun.Begin,
                }
            );
        StoredEvent[] events =
        [
            new(1, new RunStarted("r", plan, new RunSpec(new Dictionary<string, ArtifactRef>(), [])) { At = SampleRun.Begin }),
            Finished(2, "a", 1),
            Finished(3, "b", 2),
        ];

        var page = ReportPage.Render(RunHistory.Tell(SampleRun.Data(), events));

        page.ShouldContain(
            """<tr><th scope="row">sae-training</th><td class="n">7</td>"""
                + """<td>ClipSae 0.1.0 on cpu, x64 avx512, 1 thread; ClipSae 0.1.0 on cpu, x64 avx512, 2 threads</td></tr>"""
        );
        page.ShouldContain("""<tr><th scope="row">report</th><td class="n">–</td><td>–</td></tr>""");
    }

    [Fact]
    public void Where_nothing_beat_the_base_the_page_says_so()
    {
        var data = SampleRun.Data();

        ReportPage
            .Render(data with { Results = data.Results! with { Tuned = null } })
            .ShouldContain("No fine-tuned model has a higher validation score than the base");
    }

    [Fact]
    public void What_the_run_went_on_without_is_named_with_its_reason()
    {
        var page = ReportPage.Render(
            SampleRun.Data() with
            {
                Missing = [new MissingUnit("embedding-extraction", "00003", "the shard is torn", 40)],
            }
        );

        page.ShouldContain("<b>1 of 40</b> units of embedding-extraction failed");
        page.ShouldContain("<code>00003</code></td><td>the shard is torn</td>");
        ReportPage.Render(SampleRun.Data()).ShouldNotContain("everything after it was computed without them");
    }

    [Fact]
    public void A_change_within_chance_is_not_called_better()
    {
        var data = SampleRun.Data();
        var results = data.Results!.With("penalise.s0", (set, scores) =>
            set != "clean"
                ? scores
                : scores with
                {
                    AgainstBase = scores.AgainstBase! with { Accuracy = new Interval(0.004, -0.003, 0.011) },
                }
        );

        ReportPage.Render(data with { Results = results }).ShouldContain("within chance");
    }

    [Fact]
    public void Without_arms_every_model_is_told_with_every_figure_and_images_show_them_all()
    {
        var data = SampleRun.Data();
        data = data with
        {
            Results = data.Results! with { Arms = [] },
            Examples =
            [
                .. data.Examples.Select(example =>
                    example with
                    {
                        Answers = [.. example.Answers, new ExampleAnswer("third", example.Answers[0].Candidates)],
                    }
                ),
            ],
        };

        var page = ReportPage.Render(data);

        foreach (var model in data.Results!.Models)
        {
            page.ShouldContain($"<th scope=\"row\">{model.Name}</th>");
        }

        page.ShouldContain("Model by model");
        page.ShouldContain("class=\"swatch m2\"></i> third");
        page.ShouldContain("The base is wrong, another model is right.");
        page.ShouldNotContain("fine-tuning’s vocabulary");
    }

    [Fact]
    public void Retrieval_has_a_section_of_its_own_and_is_no_set_of_objects()
    {
        var data = SampleRun.Data();
        var scores = new RetrievalScores(
            Recall(0.563, 0.79, 0.867),
            Recall(0.365, 0.61, 0.711),
            new Interval(0.81, 0.81, 0.81),
            3,
            null,
            null,
            null
        );
        data = data with
        {
            Results = data.Results! with
            {
                Sets = [.. data.Results!.Sets, new SetSummary("retrieval-coco", Protocols.Retrieval, 5000, 5000, 0, [], 24970, [], [], [])],
                Models =
                [
                    .. data.Results.Models.Select(model =>
                        model with
                        {
                            Retrieval = new Dictionary<string, RetrievalScores> { ["retrieval-coco"] = scores },
                        }
                    ),
                ],
            },
        };

        var page = ReportPage.Render(data);

        page.ShouldContain("<section id=\"retrieval\">");
        page.ShouldContain("24,970 different captions, 3 of them longer");
        page.ShouldContain("56.3");
        // In the title, the list of sets, and the name of the table that is read aloud.
        Regex.Count(page, "retrieval-coco").ShouldBe(3);
    }

    /// <summary>The page with its signs as people see them.</summary>
    private static string Read(ReportData data) => WebUtility.HtmlDecode(ReportPage.Render(data));

    private static string JsonText(string text) => JsonValue.Create(text).ToJsonString()[1..^1];

    private static EvaluationResults Without(EvaluationResults results, Func<string, bool> keep, bool onlyBase = false)
    {
        results = results with { Sets = [.. results.Sets.Where(set => keep(set.Name))] };
        return onlyBase ? results with { Models = [results.Models[0]], Arms = [], Tuned = null } : results;
    }

    private static RecallScores Recall(params double[] at) =>
        new(SampleEvaluation.Interval(at[0]), SampleEvaluation.Interval(at[1]), SampleEvaluation.Interval(at[2]));

    [GeneratedRegex("(?:src|href|srcset)=\"([^\"]*)\"")]
    private static partial Regex Sources();
}
