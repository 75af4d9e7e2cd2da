using System.Text.Json.Nodes;
using ClipSae.Clip.Model;
using ClipSae.Clip.Tokenizers;
using ClipSae.FineTuning.Arms;
using ClipSae.FineTuning.Data;
using ClipSae.FineTuning.Heads;
using ClipSae.FineTuning.Optimization;
using ClipSae.FineTuning.Settings;
using ClipSae.FineTuning.Validation;
using ClipSae.Pipeline.Stages;
using ClipSae.Results;
using ClipSae.Tensors;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using static TorchSharp.torch;

namespace ClipSae.FineTuning.Training;

/// <summary>
/// Fine-tunes one model in Geometric Parametrization; a training resumed from a checkpoint ends with the bits of an uninterrupted one, on a
/// processor with as many threads.
/// </summary>
public sealed class FineTuner(
    ClipModel model,
    ClipTokenizer tokenizer,
    TuningData data,
    AttackForward attackForward,
    FineTuningOptions options,
    Device device
)
{
    private const string ModelFile = "model.safetensors";
    private const string MomentsFile = "moments.safetensors";
    private const string BestFile = "best.safetensors";

    /// <summary>Steps after which their metrics are read at the latest: a GPU is given its next work meanwhile.</summary>
    private const int StepsAhead = 10;

    private readonly CurveRecorder _curves = new();
    private readonly Validator _validator = new(data, tokenizer, options, device);

    /// <summary>Texts that the best weights carry in their header: what they were made of and how. None by default.</summary>
    public IReadOnlyDictionary<string, string>? Provenance { get; init; }

    /// <summary>The base's checkpoint, for the mixtures of <see cref="FineTuningOptions.Alphas"/>; null mixes nothing.</summary>
    public string? BaseFile { get; init; }

    /// <summary>Heads to take out of the base before it is trained; null takes out none.</summary>
    public HeadAblation? Heads { get; init; }

    /// <summary>Where what is worth knowing of the data is reported. Nowhere by default.</summary>
    public ILogger Log { get; init; } = NullLogger.Instance;

    /// <summary>Different captions that were longer than the model's context and were cut, once the training has started.</summary>
    public int CutCaptions { get; private set; }

    /// <summary>Trains and leaves the best checkpoint's weights in a file.</summary>
    /// <param name="folder">For files; the result is in it.</param>
    /// <returns>Path of the best weights (GmP safetensors) and the curves.</returns>
    public async Task<(string BestModel, CurveRecorder Curves)> TrainAsync(
        string folder,
        ICheckpoints checkpoints,
        IProgress<StageProgress> progress,
        CancellationToken cancel
    )
    {
        using var captions = new CaptionTable(
            [.. data.Clean.Captions, .. data.Attacks.Captions],
            tokenizer,
            model.Architecture.ContextLength
        );
        CutCaptions = captions.TruncatedCount;
        if (CutCaptions > 0)
        {
            Log.LogWarning(
                "{Cut} of {Captions} different captions are longer than the model's context and were cut to {Context} tokens",
                CutCaptions,
                captions.Count,
                model.Architecture.ContextLength
            );
        }

        using var drift = new GeometricDrift(model);
        ParameterGrouping.Freeze(
            model,
            options.LearningRates,
            visionAlone: !attackForward.Arm.UsesCaptions,
            attackForward.Arm.TrainsNullToken
        );
        ParameterGroup[] groups =
        [
            .. ParameterGrouping.ByPart(model, options.LearningRates, options.Optimizer.WeightDecay, options.Adapter?.LearningRate ?? 0),
        ];
        using var training = ParameterGrouping.Begin(model, groups, options.Compute, options.Recompute);
        using var optimizer = new Optimizer(options.Optimizer, groups, training.Weights, options.Moments);
        var step = new TuningStep(model, data, captions, attackForward, options, device);
        var bestFile = Path.Combine(folder, BestFile);
        var next = await checkpoints.LatestAsync(cancel) is { } checkpoint ? Resume(checkpoint, optimizer, bestFile) : 0;
        string? collapsed = null;
        if (IsValidated(next) && _curves.LastValidation < next)
        {
            collapsed = Validate(next, drift, bestFile, cancel);
        }

        if (next == 0 && Heads is not null)
        {
            Heads.FoldInto(model);
            model.Training?.Refresh();
        }

        var attackSteps = (long)Math.Ceiling(options.AttackShare * options.Steps);
        for (var at = next; at < options.Steps && collapsed is null; at++)
        {
            var before = at;
            var isSaved = before == next || before % options.CheckpointInterval == 0;
            await StopGrace.ThrowIfStoppedAsync(
                token => isSaved ? Task.CompletedTask : SaveAsync(checkpoints, optimizer, folder, bestFile, before, token),
                cancel
            );
            Train(step, optimizer, at, withAttacks: at < attackSteps);
            var done = at + 1;
            if (IsValidated(done))
            {
                try
                {
                    collapsed = Validate(done, drift, bestFile, cancel);
                }
                catch (OperationCanceledException)
                {
                    // The step is done; whoever continues begins with its validation.
                    await StopGrace.ThrowIfStoppedAsync(token => SaveAsync(checkpoints, optimizer, folder, bestFile, done, token), cancel);
                    throw;
                }
            }

            if (collapsed is null && done % options.CheckpointInterval == 0 && done < options.Steps)
            {
                await SaveAsync(checkpoints, optimizer, folder, bestFile, done, cancel);
            }

            progress.Report(
                new StageProgress(done, options.Steps, "steps", new Dictionary<string, double> { ["loss"] = _curves.LastLoss })
            );
        }

        if (collapsed is not null)
        {
            Stop(collapsed);
        }

        // A token has no counterpart in the base to be mixed with.
        _validator.Finish(_curves, bestFile, attackForward.Arm.TrainsNullToken ? null : BaseFile, Provenance, cancel);
        return (bestFile, _curves);
    }

    private bool IsValidated(long done) => done % options.ValidationInterval == 0 || done == options.Steps;

    private void Train(TuningStep step, Optimizer optimizer, long at, bool withAttacks)
    {
        using var scope = NewDisposeScope();
        var metrics = step.Backward(at, withAttacks);
        var norm = Gradients.Norm(optimizer.Gradients);
        var factor = options.Schedule.FactorAt(at, options.Steps);
        optimizer.Step(factor, Gradients.ClipFactor(norm, options.GradientClip));
        model.Training?.Refresh();
        _curves.AddStep(at + 1, metrics, norm, factor);
        if (device.type == TorchSharp.DeviceType.CPU || _curves.Pending == StepsAhead || double.IsNaN(_curves.LastLoss))
        {
            ReadMetrics();
        }
    }

    private void ReadMetrics()
    {
        if (_curves.ReadPending() is { } step)
        {
            throw new UserErrorException(
                $"fine-tuning: the loss is no longer a number at step {step}; "
                    + "lower tuning.learningRates or lengthen the warm-up of tuning.schedule"
            );
        }
    }

    // The step-0 row is the base itself: what clean accuracy is held against, never a candidate for the best.
    /// <returns>What has collapsed, null where nothing has.</returns>
    private string? Validate(long at, GeometricDrift drift, string bestFile, CancellationToken cancel)
    {
        ReadMetrics();
        // A null token is there from the start and has learned nothing yet: what it is compared with is the base without it.
        using var basis = at == 0 && attackForward.Arm.TrainsNullToken ? ClipModel.Load(BaseFile!, device) : null;
        var (scores, embeddings) = _validator.Measure(basis ?? model, at == 0 || options.ReadingCost > 0, cancel);
        var factor = Math.Exp(model.LogitScale.detach().to(ScalarType.Float32).item<float>());
        var logitScale = model.Architecture.Family.IsPairwise ? factor : Math.Min(100, factor);
        _curves.AddHealth(at, embeddings, logitScale);
        var problem = at == 0 ? null : _curves.Guard(data.CleanValidation.Candidates.Count).Problem(scores.Clean, embeddings, logitScale);
        _curves.AddValidation(at, scores, options, isSound: problem is null);
        var (theta, radius) = drift.Measure(model);
        _curves.AddDrift(at, theta, radius);
        if (at > 0 && _curves.BestStep == at)
        {
            model.Save(bestFile, Provenance);
        }

        return problem is null ? null : FormattableString.Invariant($"collapsed by step {at}: {problem}");
    }

    private void Stop(string collapsed)
    {
        UserErrorException.ThrowIf(
            _curves.BestStep < 0,
            $"fine-tuning: the model {collapsed}, before any checkpoint was usable; "
                + $"lower tuning.learningRates, add images, or validate more often (tuning.validationInterval)"
        );

        Log.LogWarning(
            "Fine-tuning with arm {Arm} was stopped: the model {Collapsed}; the checkpoint of step {Step} is kept. "
                + "Lower tuning.learningRates or add images",
            attackForward.Arm.Name,
            collapsed,
            _curves.BestStep
        );
        _curves.Stop(collapsed);
    }

    private async Task SaveAsync(
        ICheckpoints checkpoints,
        Optimizer optimizer,
        string folder,
        string bestFile,
        long done,
        CancellationToken cancel
    )
    {
        ReadMetrics();
        var (modelFile, momentsFile) = (Path.Combine(folder, ModelFile), Path.Combine(folder, MomentsFile));
        SafetensorsWriter.Write(modelFile, model.StateDict());
        SafetensorsWriter.Write(momentsFile, optimizer.State.ToTensors());
        var files = new Dictionary<string, string> { [ModelFile] = modelFile, [MomentsFile] = momentsFile };
        if (File.Exists(bestFile))
        {
            // A checkpoint may take its files away; the best weights are still needed here.
            files[BestFile] = Path.Combine(folder, "checkpointed-" + BestFile);
            File.Copy(bestFile, files[BestFile], overwrite: true);
        }

        await checkpoints.SaveAsync(
            files,
            new JsonObject { ["step"] = done, ["curves"] = ResultFormats.TrainingHistory.ToJson(_curves.History) },
            cancel
        );
    }

    private long Resume(Checkpoint checkpoint, Optimizer optimizer, string bestFile)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using (var weights = SafetensorsFile.Open(checkpoint.Files[ModelFile]))
        {
            foreach (var (name, parameter) in model.named_parameters())
            {
                parameter.copy_(weights.Read(name));
            }
        }

        var done = checkpoint.State["step"]!.GetValue<long>();
        using (var moments = SafetensorsFile.Open(checkpoint.Files[MomentsFile]))
        {
            optimizer.State.Load(done, moments.Entries.Keys.ToDictionary(k => k, k => moments.Read(k).to(device), StringComparer.Ordinal));
        }

        model.Training?.Refresh();
        if (checkpoint.Files.TryGetValue(BestFile, out var best))
        {
            File.Copy(best, bestFile, overwrite: true);
        }

        _curves.Load(ResultFormats.TrainingHistory.Read(checkpoint.State["curves"]!.AsObject(), "the checkpoint of fine-tuning"));
        return done;
    }
}
