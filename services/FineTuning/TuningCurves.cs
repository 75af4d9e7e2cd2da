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
    private JsonArray _health = [];
    private JsonArray _interpolation = [];

    /// <summary>Step of the best validation so far; -1 before the first after step 0.</summary>
    public long BestStep { get; private set; } = -1;

    public double BestScore { get; private set; } = double.NegativeInfinity;

    public double LastLoss => _steps.Count == 0 ? double.NaN : _steps[^1]!["loss"]!.GetValue<double>();

    /// <summary>Share of the tuned weights in the result, the rest being the base's; 1 where no mixture scored higher.</summary>
    public double Alpha { get; private set; } = 1;

    /// <summary>Why the training ended before its last step; null where it did not.</summary>
    public string? Stopped { get; private set; }

    /// <summary>The best validation, or null before the first; where weights were mixed, the mixture's, with its <c>alpha</c>.</summary>
    public JsonObject? Best => Alpha < 1
        ? _interpolation.First(v => v!["alpha"]!.GetValue<double>() == Alpha)!.AsObject()
        : _validations.FirstOrDefault(v => v!["step"]!.GetValue<long>() == BestStep)?.AsObject();

    /// <summary>The validation of step 0, which is the base; null before it.</summary>
    public JsonObject? Base => _validations.FirstOrDefault()?.AsObject();

    /// <summary>How far directions and radii moved from the base by the last validation, as shares of their size; null before it.</summary>
    public JsonObject? LastDrift => _drift.Count == 0 ? null : _drift[^1]!.AsObject();

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
    /// <param name="options">What losses against step 0 cost.</param>
    /// <param name="isSound">Whether it may be the best; a collapsed model may not.</param>
    public void AddValidation(long step, ValidationScores scores, FineTuningOptions options, bool isSound = true)
    {
        var (json, score) = Scored(scores, options);
        json.Insert(0, "step", step);
        _validations.Add(json);
        if (step > 0 && isSound && score > BestScore)
        {
            (BestStep, BestScore) = (step, score);
        }
    }

    /// <summary>Adds the validation of a mixture of base and best weights and decides whether it is better than the best; of equals, the one with more of the tuned weights stays.</summary>
    /// <returns>Whether it is.</returns>
    public bool AddInterpolation(double alpha, ValidationScores scores, FineTuningOptions options)
    {
        var (json, score) = Scored(scores, options);
        json.Insert(0, "step", BestStep);
        json.Insert(1, "alpha", alpha);
        _interpolation.Add(json);
        if (score <= BestScore)
        {
            return false;
        }

        (Alpha, BestScore) = (alpha, score);
        return true;
    }

    /// <summary>Adds to the best validation how much of reading is left, where it was not measured with it.</summary>
    public void AddReading(double reading) => Best!["reading"] = Math.Round(reading, 6);

    /// <summary>Adds what a validation sees of the model's soundness.</summary>
    public void AddHealth(long step, EmbeddingHealth embeddings, double logitScale) => _health.Add(new JsonObject
    {
        ["step"] = step,
        ["meanCosine"] = Math.Round(embeddings.MeanCosine, 6),
        ["rank"] = Math.Round(embeddings.Rank, 4),
        ["logitScale"] = Math.Round(logitScale, 4),
    });

    /// <summary>What the base is like, from its validation at step 0.</summary>
    /// <param name="classes">Among which clean pictures are told.</param>
    public CollapseGuard Guard(int classes) => new(
        _validations[0]!["clean"]!.GetValue<double>(),
        new EmbeddingHealth(_health[0]!["meanCosine"]!.GetValue<double>(), _health[0]!["rank"]!.GetValue<double>()),
        _health[0]!["logitScale"]!.GetValue<double>(),
        1.0 / classes);

    /// <summary>Notes that the training ended early.</summary>
    public void Stop(string why) => Stopped = why;

    private (JsonObject Json, double Score) Scored(ValidationScores scores, FineTuningOptions options)
    {
        var score = scores.Score(_validations.Count == 0 ? scores : ValidationScores.Of(_validations[0]!), options);
        var json = scores.ToJson();
        json["score"] = score;
        return (json, score);
    }

    public void AddDrift(long step, double theta, double radius) =>
        _drift.Add(new JsonObject { ["step"] = step, ["theta"] = Math.Round(theta, 8), ["radius"] = Math.Round(radius, 8) });

    public JsonObject ToJson() => new()
    {
        ["steps"] = _steps.DeepClone(),
        ["validation"] = _validations.DeepClone(),
        ["drift"] = _drift.DeepClone(),
        ["health"] = _health.DeepClone(),
        ["interpolation"] = _interpolation.DeepClone(),
        ["alpha"] = Alpha,
        ["stopped"] = Stopped,
        ["best"] = Best?.DeepClone(),
    };

    /// <summary>Takes what <see cref="ToJson"/> gave, from a checkpoint.</summary>
    public void Load(JsonObject json)
    {
        _steps = json["steps"]!.DeepClone().AsArray();
        _validations = json["validation"]!.DeepClone().AsArray();
        _drift = json["drift"]!.DeepClone().AsArray();
        _health = json["health"]!.DeepClone().AsArray();
        if (json["best"] is JsonObject best)
        {
            (BestStep, BestScore) = (best["step"]!.GetValue<long>(), best["score"]!.GetValue<double>());
        }
    }
}
