using System.Text.Json.Nodes;
using static TorchSharp.torch;

namespace ClipSae.FineTuning;

/// <summary>What is plotted of a training: figures of each step, validations and drift. Deterministic: no times in it.</summary>
public sealed class TuningCurves
{
    private JsonArray _steps = [];
    private JsonArray _validations = [];
    private JsonArray _drift = [];

    /// <summary>Step of the best validation so far; -1 before the first after step 0.</summary>
    public long BestStep { get; private set; } = -1;

    public double BestScore { get; private set; } = double.NegativeInfinity;

    public double LastLoss => _steps.Count == 0 ? double.NaN : _steps[^1]!["loss"]!.GetValue<double>();

    /// <summary>The best validation, or null before the first.</summary>
    public JsonObject? Best => _validations.FirstOrDefault(v => v!["step"]!.GetValue<long>() == BestStep)?.AsObject();

    public void AddStep(long step, TuningStep.Figures figures, Tensor gradientNorm, double rate) => _steps.Add(new JsonObject
    {
        ["step"] = step,
        ["loss"] = Value(figures.Loss),
        ["cleanLoss"] = Value(figures.CleanLoss),
        ["attackLoss"] = figures.AttackLoss is null ? null : Value(figures.AttackLoss),
        ["penalty"] = figures.Penalty is null ? null : Value(figures.Penalty),
        ["gradientNorm"] = Value(gradientNorm),
        ["rate"] = Math.Round(rate, 8),
    });

    /// <summary>The last step that was validated; -1 before the first.</summary>
    public long LastValidation => _validations.Count == 0 ? -1 : _validations[^1]!["step"]!.GetValue<long>();

    /// <summary>Adds a validation and decides whether it is the best.</summary>
    /// <param name="cleanLossCost">Points of attacked accuracy that one point of clean accuracy below step 0 costs.</param>
    public void AddValidation(long step, double clean, double attacked, double cleanLossCost)
    {
        var baseClean = _validations.Count == 0 ? clean : _validations[0]!["clean"]!.GetValue<double>();
        var lost = Math.Max(0, baseClean - clean);
        // Compared as it is kept, so that a training resumed from the kept score decides as an undisturbed one.
        var score = Math.Round(attacked - (cleanLossCost * lost), 6);
        _validations.Add(new JsonObject { ["step"] = step, ["clean"] = Math.Round(clean, 6), ["attacked"] = Math.Round(attacked, 6), ["score"] = score });
        if (step > 0 && score > BestScore)
        {
            (BestStep, BestScore) = (step, score);
        }
    }

    public void AddDrift(long step, double theta, double radius) =>
        _drift.Add(new JsonObject { ["step"] = step, ["theta"] = Math.Round(theta, 8), ["radius"] = Math.Round(radius, 8) });

    public JsonObject ToJson() => new()
    {
        ["steps"] = _steps.DeepClone(),
        ["validation"] = _validations.DeepClone(),
        ["drift"] = _drift.DeepClone(),
        ["best"] = Best?.DeepClone(),
    };

    /// <summary>Takes what <see cref="ToJson"/> gave, from a checkpoint.</summary>
    public void Load(JsonObject json)
    {
        _steps = json["steps"]!.DeepClone().AsArray();
        _validations = json["validation"]!.DeepClone().AsArray();
        _drift = json["drift"]!.DeepClone().AsArray();
        if (json["best"] is JsonObject best)
        {
            (BestStep, BestScore) = (best["step"]!.GetValue<long>(), best["score"]!.GetValue<double>());
        }
    }

    private static double Value(Tensor scalar) => Math.Round(scalar.to(ScalarType.Float32).item<float>(), 6);
}
