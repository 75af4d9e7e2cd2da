using ClipSae.FineTuning.Data;
using ClipSae.FineTuning.Settings;
using ClipSae.Results.Tuning;
using static TorchSharp.torch;

namespace ClipSae.FineTuning.Validation;

/// <summary>Records what is plotted of a training, and decides by its validations which step is the best.</summary>
public sealed class CurveRecorder
{
    private readonly List<(long Step, bool[] IsThere, Tensor Values, double LearningRate)> _pending = [];
    private readonly List<StepMetrics> _steps = [];
    private readonly List<TuningValidation> _validations = [];
    private readonly List<WeightDrift> _drift = [];
    private readonly List<ModelHealth> _health = [];
    private readonly List<TuningValidation> _interpolation = [];

    /// <summary>Step of the best validation so far; -1 before the first after step 0.</summary>
    public long BestStep { get; private set; } = -1;

    public double BestScore { get; private set; } = double.NegativeInfinity;

    public double LastLoss => _steps.Count == 0 ? double.NaN : _steps[^1].Loss ?? double.NaN;

    /// <summary>Share of the tuned weights in the result, the rest being the base's; 1 where no mixture scored higher.</summary>
    public double Alpha { get; private set; } = 1;

    /// <summary>Why the training ended before its last step; null where it did not.</summary>
    public string? Stopped { get; private set; }

    /// <summary>The best validation, or null before the first; where weights were mixed, the mixture's, with its <c>alpha</c>.</summary>
    public TuningValidation? Best =>
        Alpha < 1 ? _interpolation.First(v => v.Alpha == Alpha) : _validations.FirstOrDefault(v => v.Step == BestStep);

    /// <summary>The validation of step 0, which is the base; null before it.</summary>
    public TuningValidation? Base => _validations.FirstOrDefault();

    /// <summary>How far directions and radii moved from the base by the last validation, as shares of their size; null before it.</summary>
    public WeightDrift? LastDrift => _drift.LastOrDefault();

    /// <summary>Whether no step scored higher than the base.</summary>
    public bool IsBeatenByBase => Base?.Score >= BestScore;

    /// <summary>Steps whose metrics are still on the device.</summary>
    public int Pending => _pending.Count;

    /// <summary>Adds a step; its metrics stay on the device until <see cref="ReadPending"/>, so that nothing waits for it.</summary>
    public void AddStep(long step, StepLosses losses, Tensor gradientNorm, double learningRate)
    {
        Tensor?[] all = [losses.Loss, losses.CleanLoss, losses.AttackLoss, losses.Penalty, gradientNorm];
        using var scope = NewDisposeScope();
        var values = stack([.. all.OfType<Tensor>()]).to(ScalarType.Float32);
        _pending.Add((step, [.. all.Select(loss => loss is not null)], values.DetachFromDisposeScope(), learningRate));
    }

    /// <summary>Reads what is still on the device.</summary>
    /// <returns>The first of these steps whose loss is not a number, or null.</returns>
    public long? ReadPending()
    {
        if (_pending.Count == 0)
        {
            return null;
        }

        using var scope = NewDisposeScope();
        var values = new Queue<float>(cat([.. _pending.Select(step => step.Values)]).cpu().data<float>());
        long? diverged = null;
        foreach (var (step, isThere, read, learningRate) in _pending)
        {
            read.Dispose();
            double?[] row =
            [
                .. isThere.Select(there =>
                    there && values.Dequeue() is var value && float.IsFinite(value) ? Math.Round(value, 6) : (double?)null
                ),
            ];
            diverged ??= row[0] is null ? step : null;
            _steps.Add(new StepMetrics(step, row[0], row[1], row[2], row[3], row[4], Math.Round(learningRate, 8)));
        }

        _pending.Clear();
        return diverged;
    }

    /// <summary>The last step that was validated; -1 before the first.</summary>
    public long LastValidation => _validations.Count == 0 ? -1 : _validations[^1].Step;

    /// <summary>Adds a validation and decides whether it is the best.</summary>
    /// <param name="options">What losses against step 0 cost.</param>
    /// <param name="isSound">Whether it may be the best; a collapsed model may not.</param>
    public void AddValidation(long step, ValidationScores scores, FineTuningOptions options, bool isSound = true)
    {
        var validation = Scored(step, scores, options);
        _validations.Add(validation);
        if (step > 0 && isSound && validation.Score > BestScore)
        {
            (BestStep, BestScore) = (step, validation.Score);
        }
    }

    /// <summary>
    /// Adds the validation of a mixture of base and best weights and decides whether it is better than the best; of equals, the one with
    /// more of the tuned weights stays.
    /// </summary>
    /// <returns>Whether it is.</returns>
    public bool AddInterpolation(double alpha, ValidationScores scores, FineTuningOptions options)
    {
        var validation = Scored(BestStep, scores, options) with { Alpha = alpha };
        _interpolation.Add(validation);
        if (validation.Score <= BestScore)
        {
            return false;
        }

        (Alpha, BestScore) = (alpha, validation.Score);
        return true;
    }

    /// <summary>Adds to the best validation how much of reading is left, where it was not measured with it.</summary>
    public void AddReading(double reading)
    {
        var list = Alpha < 1 ? _interpolation : _validations;
        list[list.IndexOf(Best!)] = Best! with { Reading = Math.Round(reading, 6) };
    }

    /// <summary>Adds what a validation sees of the model's soundness.</summary>
    public void AddHealth(long step, EmbeddingHealth embeddings, double logitScale) =>
        _health.Add(new ModelHealth(step, Math.Round(embeddings.MeanCosine, 6), Math.Round(embeddings.Rank, 4), Math.Round(logitScale, 4)));

    /// <summary>What the base is like, from its validation at step 0.</summary>
    /// <param name="classes">Among which clean pictures are classified.</param>
    public CollapseGuard Guard(int classes) =>
        new(_validations[0].Clean, new EmbeddingHealth(_health[0].MeanCosine, _health[0].Rank), _health[0].LogitScale, 1.0 / classes);

    /// <summary>Notes that the training ended early.</summary>
    public void Stop(string why) => Stopped = why;

    public void AddDrift(long step, double theta, double radius) =>
        _drift.Add(new WeightDrift(step, Math.Round(theta, 8), Math.Round(radius, 8)));

    /// <summary>All that was recorded, as it is stored and kept in checkpoints.</summary>
    public TrainingHistory History =>
        new([.. _steps], [.. _validations], [.. _drift], [.. _health], [.. _interpolation], Alpha, Stopped, Best);

    /// <summary>Goes on from what a checkpoint kept.</summary>
    public void Load(TrainingHistory history)
    {
        _steps.AddRange(history.Steps);
        _validations.AddRange(history.Validation);
        _drift.AddRange(history.Drift);
        _health.AddRange(history.Health);
        if (history.Best is { } best)
        {
            (BestStep, BestScore) = (best.Step, best.Score);
        }
    }

    private TuningValidation Scored(long step, ValidationScores scores, FineTuningOptions options)
    {
        var basis = Base is { } first ? new ValidationScores(first.Clean, first.Attacked, first.Reading) : scores;
        return new TuningValidation(step, Math.Round(scores.Clean, 6), Math.Round(scores.Attacked, 6), scores.Score(basis, options))
        {
            Reading = scores.Reading is { } reading ? Math.Round(reading, 6) : null,
        };
    }
}
