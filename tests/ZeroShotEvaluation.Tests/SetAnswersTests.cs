using ClipSae.Results.Evaluation;
using ClipSae.ZeroShotEvaluation.Models;
using ClipSae.ZeroShotEvaluation.Sets;

namespace ClipSae.ZeroShotEvaluation.Tests;

public sealed class SetAnswersTests
{
    private static readonly string[] Objects = ["cat", "dog"];

    // Scale 10 and cosines .3 and .2 are logits one apart: p = e / (e + 1) = .7310586, −ln p = .3132617, Brier = 2 (1 − p)² = .1446590.
    [Fact]
    public void Probabilities_follow_the_models_own_scale()
    {
        var answers = Ask(Question("clean", ("cat", null)), 10, [0.3f, 0.2f]);

        answers.Confidence[0].ShouldBe(0.7310586f, 1e-5f);
        answers.LogLoss[0].ShouldBe(0.3132617f, 1e-5f);
        answers.Brier[0].ShouldBe(0.1446590f, 1e-5f);
        answers.Margin.ShouldBeNull();
    }

    // The same for the wrong choice: −ln (1 − p) = 1.3132617, Brier = 2 p² = 1.0688934.
    [Fact]
    public void A_wrong_choice_costs_by_its_confidence()
    {
        var answers = Ask(Question("clean", ("dog", null)), 10, [0.3f, 0.2f]);

        (answers.Right[0], answers.Chosen[0]).ShouldBe((0f, 0));
        answers.LogLoss[0].ShouldBe(1.3132617f, 1e-5f);
        answers.Brier[0].ShouldBe(1.0688934f, 1e-5f);
    }

    // Texts: cat, dog, taxi. Three answers to a cat with "taxi" on it: taken for the word; right; taken for a third thing, though cat beats
    // taxi.
    [Fact]
    public void An_attack_succeeds_where_the_word_is_chosen_and_binary_weighs_object_and_word_alone()
    {
        var answers = Ask(
            Question("attacked", ("cat", "taxi"), ("cat", "taxi"), ("cat", "taxi"), ("dog", "taxi")),
            1,
            [0.2f, 0.1f, 0.3f, 0.3f, 0.1f, 0.2f, 0.2f, 0.3f, 0.1f, 0, 0, 0.5f]
        );

        answers.Right.ShouldBe([0, 1, 0, 0]);
        answers.Fooled.ShouldBe([1, 0, 0, 1]);
        answers.BinaryRight.ShouldBe([0, 1, 1, 0]);
        answers.Margin!.Average().ShouldBe((-0.1f + 0.1f + 0.1f - 0.5f) / 4, 1e-6f);
    }

    // NoSCAM: the word of the attacked twin is no choice, but the object is weighed against it.
    [Fact]
    public void On_a_clean_set_with_words_the_absent_word_is_a_rival_and_no_candidate()
    {
        var question = Question("clean", ("cat", "taxi"), ("dog", "cat"));

        question.Candidates.ShouldBe(Objects);
        question.Texts.ShouldBe(["cat", "dog", "taxi"]);
        var answers = Ask(question, 1, [0.2f, 0.1f, 0.9f, 0.1f, 0.2f, 0.9f]);
        answers.Right.ShouldBe([1, 1]);
        answers.BinaryRight.ShouldBe([0, 1]);
        answers.Fooled.ShouldBeNull();
    }

    [Fact]
    public void One_clean_image_without_a_word_leaves_the_binary_figure_out() =>
        Question("clean", ("cat", "taxi"), ("dog", null)).Rival.ShouldBeNull();

    private static SetQuestion Question(string set, params (string Label, string? Word)[] images)
    {
        EvaluationImage[] listed = [.. images.Select((image, index) => new EvaluationImage($"{index}.png", image.Label, image.Word, []))];
        return SetQuestion.Ask(
            new SetImages(
                set,
                EvaluationProtocol.For(set, listed),
                [],
                listed,
                [.. Enumerable.Range(0, listed.Length)],
                null,
                listed.Length,
                new Dictionary<int, EvaluationProblem>(),
                []
            ),
            Objects
        );
    }

    private static SetAnswers Ask(SetQuestion question, double scale, float[] cosines)
    {
        var answers = SetAnswers.To(question, scale);
        answers.Read(0, cosines);
        return answers;
    }
}
