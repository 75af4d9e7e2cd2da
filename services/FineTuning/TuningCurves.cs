using System.Text.Json.Nodes;
using static TorchSharp.torch;

namespace ClipSae.FineTuning;

/// <summary>What is plotted of a training: figures of each step, validations and drift. Deterministic: no times in it.</summary>
public sealed class TuningCurves
{
    private readonly List<(long Step, (string Name, bool IsThere)[] Names, Tensor Values, double Rate)> _pending = [];
    private JsonArray _steps = [];
    private JsonArray _validations = [];
    private JsonArray _drift = [];

    /// <summary>Step of the best validation so far; -1 before the first after step 0.</summary>
    public long BestStep { get; private set; } = -1;

    public double BestScore { get; private set; } = double.NegativeInfinity;

    public double LastLoss => _steps.Count == 0 ? double.NaN : _steps[^1]!["loss"]!.GetValue<double>();

    /// <summary>The best validation, or null before the first.</summary>
    public JsonObject? Best => _validations.FirstOrDefault(v => v!["step"]!.GetValue<long>() == BestStep)?.AsObject();

    /// <summary>The validation of step 0, which is the base; null before it.</summary>
    public JsonObject? Base => _validations.FirstOrDefault()?.AsObject();

    /// <summary>Whether no step scored higher than the base.</summary>
    public bool IsBeatenByBase => Base?["score"]?.GetValue<double>() >= BestScore;

    /// <summary>Steps whose figures are still on the device.</summary>
    public int Pending => _pending.Count;

    /// <summary>Adds a step; its figures stay on the device until <see cref="ReadPending"/>, so that nothing waits for it.</summary>
    public void AddStep(long step, TuningStep.Figures figures, Tensor gradientNorm, double rate)
    {
        (string Name, Tensor? Value)[] all =
        [
            ("loss", figures.Loss), ("cleanLoss", figures.CleanLoss), ("attackLoss", figures.AttackLoss), ("penalty", figures.Penalty), ("gradientNorm", gradientNorm),
        ];
        using var scope = NewDisposeScope();
        var values = stack([.. all.Select(figure => figure.Value).OfType<Tensor>()]).to(ScalarType.Float32);
        _pending.Add((step, [.. all.Select(figure => (figure.Name, figure.Value is not null))], values.DetachFromDisposeScope(), rate));
    }

    /// <summary>Reads what is still on the device.</summary>
    /// <returns>The first of these steps whose loss is no number, or null.</returns>
    public long? ReadPending()
    {
        if (_pending.Count == 0)
        {
            return null;
        }

        using var scope = NewDisposeScope();
        var values = new Queue<float>(cat([.. _pending.Select(step => step.Values)]).cpu().data<float>());
        long? diverged = null;
        foreach (var (step, names, read, rate) in _pending)
        {
            read.Dispose();
            var row = new JsonObject { ["step"] = step };
            foreach (var (name, isThere) in names)
            {
                var value = isThere ? values.Dequeue() : (float?)null;
                diverged ??= name == "loss" && !float.IsFinite(value!.Value) ? step : null;
                row[name] = value is { } number && float.IsFinite(number) ? Math.Round(number, 6) : null;
            }

            row["rate"] = Math.Round(rate, 8);
            _steps.Add(row);
        }

        _pending.Clear();
        return diverged;
    }

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
}
