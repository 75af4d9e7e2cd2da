using ClipSae.AttackCuration.Hygiene;

namespace ClipSae.AttackCuration.Tests;

public sealed class CaptionJudgeTests
{
    // Where a wrong word is printed the object does not speak for it once the print is gone; where a carton says what it is, it does.
    private static readonly CaptionJudge.Evidence[] Foreign =
    [
        .. Enumerable.Range(0, 20).Select(i => new CaptionJudge.Evidence(3 + (0.1 * i), 2, -4 + (0.1 * i))),
    ];
    private static readonly CaptionJudge.Evidence[] Legitimate =
    [
        .. Enumerable.Range(0, 20).Select(i => new CaptionJudge.Evidence(3 + (0.1 * i), 4, 2 + (0.1 * i))),
    ];
    private static readonly CaptionJudge.Evidence[] Plain =
    [
        .. Enumerable.Range(0, 20).Select(i => new CaptionJudge.Evidence(-3 + (0.1 * i), 3, 2 + (0.1 * i))),
    ];

    [Fact]
    public void A_word_that_the_object_bears_out_is_kept_and_one_that_is_only_printed_is_found()
    {
        using var judge = CaptionJudge.Learn(Foreign, [.. Legitimate, .. Plain]);
        var (probabilities, share) = judge.Judge([new(4, 2, -3), new(4, 4, 3), new(-2, 3, 3)], others: 0);

        probabilities[0].ShouldBeGreaterThan(0.9);
        probabilities[1].ShouldBeLessThan(0.1);
        probabilities[2].ShouldBeLessThan(0.1);
        share.ShouldBe(1 / 3.0, 0.05);
    }

    [Fact]
    public void Where_hardly_any_caption_repeats_its_print_doubtful_pictures_are_kept()
    {
        // Between the two samples; the likelihoods alone would give one half each.
        using var judge = CaptionJudge.Learn(Foreign, Legitimate);
        CaptionJudge.Evidence doubtful = new(4, 3, -0.1),
            honest = new(4, 4, 3);
        double Of(int repeating, int others) =>
            judge
                .Judge(
                    [doubtful, .. Enumerable.Repeat(new CaptionJudge.Evidence(4, 2, -3), repeating), .. Enumerable.Repeat(honest, 40)],
                    others
                )
                .Probabilities[0];

        Of(repeating: 0, others: 10_000).ShouldBeLessThan(0.05);
        Of(repeating: 40, others: 0).ShouldBeGreaterThan(Of(repeating: 1, others: 0));
    }

    [Fact]
    public void Print_that_the_model_reads_better_than_curations_own_is_found()
    {
        // What curation prints is hardly read, so that in its examples a repeated word is named weakly even with the print. A poster's is
        // named strongly.
        CaptionJudge.Evidence[] unread =
        [
            .. Enumerable.Range(0, 20).Select(i => new CaptionJudge.Evidence(3 + (0.1 * i), -11 + (0.2 * i), -12 + (0.2 * (19 - i)))),
        ];
        using var judge = CaptionJudge.Learn(unread, [.. Legitimate, .. Plain]);

        var poster = new CaptionJudge.Evidence(5, 6, -12);
        judge.Judge([poster, .. Legitimate], others: 0).Probabilities[0].ShouldBeGreaterThan(0.9);
    }

    [Fact]
    public void Nothing_to_judge_is_no_error()
    {
        using var judge = CaptionJudge.Learn(Foreign, Legitimate);

        judge.Judge([], others: 5).Share.ShouldBe(0);
    }

    [Fact]
    public void The_margin_leaves_out_what_the_caption_names_besides()
    {
        CaptionJudge.Margin([5, 4, 1], 1, [0, 1]).ShouldBe(3);
        CaptionJudge.Margin([5, 4, 1], 1, [1]).ShouldBe(-1);
    }
}
