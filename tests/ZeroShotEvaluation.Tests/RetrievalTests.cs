using ClipSae.Results.Evaluation;
using ClipSae.ZeroShotEvaluation.Models;
using ClipSae.ZeroShotEvaluation.Scores;
using ClipSae.ZeroShotEvaluation.Sets;
using TorchSharp;

namespace ClipSae.ZeroShotEvaluation.Tests;

public sealed class RetrievalTests
{
    // Three images on the axes. Captions: a0 and a1 belong to image 0, b to 1, c to 2. Cosines by hand:
    //        a0    a1    b     c
    // i0     0     .9    .5    .2     best own .9: rank 0
    // i1     0     .1    .5    .6     own .5: c before it: rank 1
    // i2     1     .4    .7    .7     own .7: a0 before it, b as near: rank 2
    private static readonly float[,] Cosines =
    {
        { 0, 0.9f, 0.5f, 0.2f },
        { 0, 0.1f, 0.5f, 0.6f },
        { 1, 0.4f, 0.7f, 0.7f },
    };

    private static readonly (string Id, string[] Captions)[] Pictures = [("0", ["a0", "a1"]), ("1", ["b"]), ("2", ["c"])];

    [Fact]
    public void An_image_is_found_by_any_of_its_captions_and_ties_count_against() => Answers(Ask(Pictures)).ImageRanks.ShouldBe([0, 1, 2]);

    // a0: images 2 (1) before 0 and 1 as near as 0: rank 2. a1: .9 first: 0. b: .7 (image 2) and .5 (image 0, as near as its own): rank 2.
    // c: .7 first: 0.
    [Fact]
    public void A_caption_finds_its_image_among_all() => Answers(Ask(Pictures)).CaptionRanks.ShouldBe([2, 0, 2, 0]);

    // A caption that two images share is one caption, right for both: with b on images 1 and 2, its best own image is 2.
    [Fact]
    public void A_shared_caption_is_right_for_each_of_its_images()
    {
        var question = Ask([("0", ["a0", "a1"]), ("1", ["b"]), ("2", ["b", "c"])]);

        question.Captions.ShouldBe(["a0", "a1", "b", "c"]);
        Answers(question).CaptionRanks.ShouldBe([2, 0, 0, 0]);
        Answers(question).ImageRanks.ShouldBe([0, 1, 1]);
    }

    // R@1: images 1 of 3, captions 2 of 4; R@5 finds all, for there are but three images and four captions.
    [Fact]
    public void Recall_is_the_share_of_queries_whose_rank_is_below_k()
    {
        var question = Ask(Pictures);
        var run = new ModelRun(new ModelUnderTest("base", ""), [], [], [], new() { ["retrieval"] = Answers(question) }, []);

        var scores = new Scoring(1000, 1, 15).Score(question, [run])[0];

        scores.ImageToText.At1.Value.ShouldBe(1 / 3.0, 1e-6);
        scores.ImageToText.At5.Value.ShouldBe(1);
        scores.TextToImage.At1.Value.ShouldBe(0.5, 1e-6);
        scores.TextToImage.At10.Value.ShouldBe(1);
        scores.TextToImageGain.ShouldBeNull();
    }

    [Fact]
    public void Captions_of_unreadable_images_stay_among_the_choices_but_are_no_queries()
    {
        var question = Ask(Pictures).Without(new Dictionary<int, string> { [2] = "unreadable" });

        var answers = RetrievalAnswers.Of(question, Matrix(2), torch.eye(4), new Interval(0, 0, 0), 0);

        answers.ImageRanks.ShouldBe([0, 1]);
        answers.CaptionRanks[3].ShouldBe(-1);
        question.Set.OrderedProblems.Single().Id.ShouldBe("2");
    }

    [Fact]
    public void One_image_is_no_retrieval() =>
        Should.Throw<Contracts.UserErrorException>(() => Ask([("0", ["a", "b"])])).Message.ShouldContain("at least two");

    // With captions on the axes the image's row is its row of cosines.
    private static RetrievalAnswers Answers(RetrievalQuestion question) =>
        RetrievalAnswers.Of(question, Matrix(3), torch.eye(4), new Interval(0, 0, 0), 0);

    private static torch.Tensor Matrix(int rows) => torch.tensor([.. Cosines.Cast<float>().Take(4 * rows)], [rows, 4]);

    private static RetrievalQuestion Ask((string Id, string[] Captions)[] pictures)
    {
        EvaluationImage[] images = [.. pictures.Select(picture => new EvaluationImage(picture.Id, "", null, picture.Captions))];
        return RetrievalQuestion.Ask(
            new SetImages(
                "retrieval",
                new EvaluationProtocol.Retrieval(),
                [],
                images,
                [.. Enumerable.Range(0, images.Length)],
                null,
                images.Length,
                new Dictionary<int, EvaluationProblem>(),
                []
            )
        );
    }
}
