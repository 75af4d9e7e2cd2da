using ClipSae.ZeroShotEvaluation.Models;
using ClipSae.ZeroShotEvaluation.Sets;

namespace ClipSae.ZeroShotEvaluation.Scores;

/// <summary>What one model answers for one image.</summary>
/// <param name="Model">Name of the model.</param>
/// <param name="Set">Name of the set.</param>
/// <param name="Image">The image's path in the data set.</param>
/// <param name="Label">What it shows.</param>
/// <param name="Word">What is printed on it, or the word it is weighed against.</param>
/// <param name="Chosen">The model's choice.</param>
/// <param name="Right">Whether that is right.</param>
/// <param name="Probability">Probability of the choice.</param>
/// <param name="Margin">Cosine to the object less cosine to the word, if there is one.</param>
public sealed record ImageAnswer(
    string Model,
    string Set,
    string Image,
    string Label,
    string? Word,
    string Chosen,
    bool Right,
    double Probability,
    double? Margin
)
{
    internal static IEnumerable<ImageAnswer> Of(SetQuestion question, ModelRun run)
    {
        var answers = run.Answers[question.Name];
        return question.Set.Images.Select(
            (image, index) =>
                new ImageAnswer(
                    run.Model.Name,
                    question.Name,
                    image.Id,
                    question.Candidates[question.Right[index]],
                    question.Rival is not null ? question.Texts[question.Rival[index]]
                        : question.Printed[index] < 0 ? null
                        : question.Candidates[question.Printed[index]],
                    question.Candidates[answers.Chosen[index]],
                    answers.Right[index] > 0,
                    answers.Confidence[index],
                    answers.Margin?[index]
                )
        );
    }
}
