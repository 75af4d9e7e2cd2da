using ClipSae.AttackCuration.Attacks;
using ClipSae.Datasets.Drawing;

namespace ClipSae.AttackCuration.Tests;

public sealed class AttackSelectionTests
{
    private const double Firing = 1;

    [Fact]
    public void Only_what_fools_CLIP_is_kept_and_nothing_where_the_features_never_fire()
    {
        var kept = Candidate(0);
        AttackCandidate[] candidates = [Candidate(1) with { Fooled = false }, kept, Candidate(2) with { Activation = Firing }];

        AttackSelection.Choose(candidates[..2], Firing, 10).ShouldBe([kept]);
        AttackSelection.Choose(candidates[2..], Firing, 10).ShouldBeEmpty();
    }

    [Fact]
    public void Attacks_on_which_the_features_fire_come_first_and_others_fill_up_what_is_asked()
    {
        AttackCandidate[] candidates =
        [
            Candidate(0, margin: 9, activation: Firing),
            Candidate(1, margin: 1),
            Candidate(2, margin: 5, activation: 0),
            Candidate(3, margin: 2),
        ];

        AttackSelection.Choose(candidates, Firing, 10).Select(c => c.Source).ShouldBe([3, 1, 0, 2]);
        AttackSelection.Choose(candidates, Firing, 3).Select(c => c.Source).ShouldBe([3, 1, 0]);
        AttackSelection.Choose(candidates, Firing, 2).Select(c => c.Source).ShouldBe([3, 1]);
    }

    [Fact]
    public void The_more_CLIP_is_fooled_and_the_features_fire_the_earlier_an_attack_comes()
    {
        AttackCandidate[] candidates =
        [
            Candidate(0, margin: 1, activation: 2),
            Candidate(1, margin: 3, activation: 6),
            Candidate(2, margin: 2, activation: 4),
            Candidate(3, margin: 4, activation: 8),
        ];

        AttackSelection.Choose(candidates, Firing, 3).Select(c => c.Source).ShouldBe([3, 1, 2]);
    }

    [Fact]
    public void Margin_and_activation_count_in_units_of_their_spread()
    {
        // Means 2 and 175, spreads 1 and 83: the sums are .5, 1.3, −1.9 and .1.
        AttackCandidate[] candidates =
        [
            Candidate(0, margin: 1, activation: 300),
            Candidate(1, margin: 3, activation: 200),
            Candidate(2, margin: 1, activation: 100),
            Candidate(3, margin: 3, activation: 100),
        ];

        AttackSelection.Choose(candidates, Firing, 4).Select(c => c.Source).ShouldBe([1, 0, 3, 2]);
    }

    [Fact]
    public void What_the_word_alone_does_comes_before_what_its_plate_may_do()
    {
        AttackCandidate[] candidates =
        [
            Candidate(0, margin: 9) with
            {
                Visible = false,
            },
            Candidate(1, margin: 1),
            Candidate(2, margin: 5) with
            {
                Visible = false,
            },
            Candidate(3, margin: 2),
        ];

        AttackSelection.Choose(candidates, Firing, 4).Select(c => c.Source).ShouldBe([3, 1, 0, 2]);
    }

    [Fact]
    public void Classes_take_turns()
    {
        AttackCandidate[] candidates =
        [
            .. Enumerable.Range(0, 6).Select(i => Candidate(i, "cat", margin: 10 - i)),
            Candidate(6, "dog", margin: 1),
            Candidate(7, "tree", margin: 0.5),
            Candidate(8, "dog", margin: 0.4),
        ];

        AttackSelection.Choose(candidates, Firing, 6).Select(c => c.Source).ShouldBe([0, 6, 7, 1, 8, 2]);
    }

    [Fact]
    public void In_each_round_the_best_ranked_class_comes_first_so_that_a_short_set_leaves_out_the_worst()
    {
        AttackCandidate[] candidates =
        [
            Candidate(0, "cat", margin: 1),
            Candidate(1, "zebra", margin: 9),
            Candidate(2, "dog", margin: 5),
            Candidate(3, "zebra", margin: 2),
            Candidate(4, "cat", margin: 0.9),
        ];

        AttackSelection.Choose(candidates, Firing, 10).Select(c => c.Source).ShouldBe([1, 2, 0, 3, 4]);
        AttackSelection.Choose(candidates, Firing, 2).Select(c => c.Source).ShouldBe([1, 2]);
    }

    [Fact]
    public void Fonts_are_used_alike()
    {
        AttackCandidate[] candidates =
        [
            .. Enumerable.Range(0, 6).Select(i => Candidate(i, font: "bold", margin: 10 - i)),
            .. Enumerable.Range(6, 3).Select(i => Candidate(i, font: "serif", margin: 10 - i)),
        ];

        AttackSelection
            .Choose(candidates, Firing, 6)
            .CountBy(c => c.Font)
            .ToDictionary()
            .ShouldBe(new Dictionary<string, int> { ["bold"] = 3, ["serif"] = 3 }, ignoreOrder: true);
    }

    [Fact]
    public void No_attack_is_chosen_twice()
    {
        AttackCandidate[] candidates =
        [
            .. Enumerable.Range(0, 40).Select(i => Candidate(i, i % 3 == 0 ? "cat" : "dog", i % 2 == 0 ? "bold" : "serif")),
        ];

        AttackSelection.Choose(candidates, Firing, 100).Select(c => c.Source).Order().ShouldBe(Enumerable.Range(0, 40));
    }

    private static AttackCandidate Candidate(
        int source,
        string label = "cat",
        string font = "bold",
        double margin = 2,
        double activation = 2
    ) =>
        new(
            source,
            [new WordPlacement("taxi", font, 12, 0, 0, "#000000")],
            label,
            margin,
            Fooled: true,
            Visible: true,
            activation,
            [1],
            []
        );
}
