using ClipSae.Results.Tuning;

namespace ClipSae.WeightConversion.Weights;

/// <summary>What a model scored on the pictures that fine-tuning kept for validation, fractions from 0 to 1, for the model card.</summary>
/// <param name="Name">The model.</param>
/// <param name="Clean">Accuracy on clean pictures.</param>
/// <param name="Attacked">Accuracy under attack.</param>
/// <param name="Reading">Accuracy on words without a picture; null where it was not measured.</param>
public sealed record MeasuredAccuracy(string Name, double Clean, double Attacked, double? Reading)
{
    /// <summary>Base and result as fine-tuning's curves show them; none where they do not.</summary>
    public static IReadOnlyList<MeasuredAccuracy> Of(TuningCurves curves) =>
        [.. new[] { Of("base", curves.Validation.FirstOrDefault()), Of("tuned", curves.Best) }.OfType<MeasuredAccuracy>()];

    private static MeasuredAccuracy? Of(string name, TuningValidation? validation) =>
        validation is null ? null : new MeasuredAccuracy(name, validation.Clean, validation.Attacked, validation.Reading);
}
