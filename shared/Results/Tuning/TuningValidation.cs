using System.Text.Json.Serialization;

namespace ClipSae.Results.Tuning;

/// <summary>A validation, fractions from 0 to 1.</summary>
/// <param name="Step">Of the training; of a mixture the step that was mixed.</param>
/// <param name="Clean">Accuracy on clean pictures.</param>
/// <param name="Attacked">Accuracy under attack.</param>
/// <param name="Score">What decides between steps, mixtures and arms.</param>
public sealed record TuningValidation(long Step, double Clean, double Attacked, double Score)
{
    /// <summary>Share of the tuned weights; null but for a mixture.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? Alpha { get; init; }

    /// <summary>Accuracy on printed words without a picture; null where it was not measured.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? Reading { get; init; }
}
