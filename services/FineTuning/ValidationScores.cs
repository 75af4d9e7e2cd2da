using System.Text.Json.Nodes;

namespace ClipSae.FineTuning;

/// <summary>What a validation measures of a model, fractions from 0 to 1.</summary>
/// <param name="Clean">Accuracy on clean pictures.</param>
/// <param name="Attacked">Accuracy under attack.</param>
/// <param name="Reading">Accuracy on printed words without a picture behind them; null where reading is not validated.</param>
public sealed record ValidationScores(double Clean, double Attacked, double? Reading = null)
{
    /// <summary>What decides between steps, mixtures and arms: accuracy under attack less what was lost against the base, at its cost. What is gained costs nothing.</summary>
    /// <param name="basis">The base's.</param>
    /// <returns>Rounded as it is kept, so that a training resumed from the kept score decides as an undisturbed one.</returns>
    public double Score(ValidationScores basis, FineTuningOptions options) => Math.Round(
        Attacked - (options.CleanLossCost * Math.Max(0, basis.Clean - Clean)) - (options.ReadingCost * Math.Max(0, (basis.Reading ?? 0) - (Reading ?? 0))), 6);

    /// <summary>The fractions by name; <c>reading</c> where it is validated.</summary>
    internal JsonObject ToJson()
    {
        var json = new JsonObject { ["clean"] = Math.Round(Clean, 6), ["attacked"] = Math.Round(Attacked, 6) };
        if (Reading is { } reading)
        {
            json["reading"] = Math.Round(reading, 6);
        }

        return json;
    }

    /// <summary>Reads what <see cref="ToJson"/> gave.</summary>
    internal static ValidationScores Of(JsonNode json) =>
        new(json["clean"]!.GetValue<double>(), json["attacked"]!.GetValue<double>(), json["reading"]?.GetValue<double>());
}
