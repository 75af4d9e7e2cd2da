using System.Globalization;
using ClipSae.Clip.Model;
using ClipSae.FineTuning.Data;
using ClipSae.FineTuning.Settings;
using ClipSae.FineTuning.Validation;
using static TorchSharp.torch;

namespace ClipSae.FineTuning.Heads;

/// <summary>
/// Training-free ablation of typographic heads (Dyslexify, arXiv 2508.20570): heads that look at print are taken out one after the other,
/// late layers first, each that leaves clean accuracy within the tolerance of the base's. The random control takes out as many others, of
/// the same layers where these have any.
/// </summary>
/// <param name="Base">Validation of the base.</param>
/// <param name="Heads">What is taken out, in order, each with the validation of what is left, where it was validated.</param>
/// <param name="Means">What takes their place.</param>
public sealed record HeadAblation(
    ValidationScores Base,
    IReadOnlyList<(TypographicHead Head, ValidationScores? Left)> Heads,
    HeadMeans Means
) : IDisposable
{
    /// <summary>Finds the heads. Nothing is trained.</summary>
    /// <param name="model">The base, whose weights are changed on the way and put back.</param>
    /// <param name="random">Whether the control is wanted.</param>
    /// <exception cref="UserErrorException">There is no such head, or none that clean accuracy can do without.</exception>
    public static HeadAblation Find(
        ClipModel model,
        TuningData data,
        Validator validator,
        FineTuningOptions options,
        bool random,
        Device device,
        CancellationToken cancel
    )
    {
        using var scope = NewDisposeScope();
        var all = TypographicHeads.Score(model, data, device, cancel);
        var candidates = TypographicHeads.Above(all, options.HeadThreshold);
        var means = HeadMeans.Of(model, data, device, cancel);
        var basis = validator.Scores(model, withReading: true, cancel);
        List<(TypographicHead Head, ValidationScores? Left)> taken = [];
        var restore = new Stack<Action>();
        foreach (var head in candidates)
        {
            var undo = HeadMeans.Kept(head, model);
            means.Fold(head, model);
            var left = validator.Scores(model, options.ReadingCost > 0, cancel);
            if (left.Clean < basis.Clean - options.HeadCleanLoss)
            {
                undo();
                continue;
            }

            taken.Add((head, left));
            restore.Push(undo);
        }

        Undo(restore);
        if (taken.Count == 0)
        {
            means.Dispose();
            throw new UserErrorException(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"fine-tuning: of {all.Count} attention heads {candidates.Count} attend to print more than others, "
                        + $"but ablating any of them lowers clean accuracy too much; "
                        + $"raise tuning.headCleanLoss or lower tuning.headThreshold, or leave the arm out of tuning.arms"
                )
            );
        }

        return new HeadAblation(basis, random ? Control(model, all, taken, means, validator, options, restore, cancel) : taken, means);
    }

    /// <summary>Takes the first heads out of a model's weights.</summary>
    /// <param name="count">How many; all when null.</param>
    public void FoldInto(ClipModel model, int? count = null)
    {
        foreach (var (head, _) in Heads.Take(count ?? Heads.Count))
        {
            Means.Fold(head, model);
        }
    }

    /// <summary>
    /// Leaves the best weights without heads in a file, as a training does: validation chooses how many heads, of those of a control all.
    /// </summary>
    /// <param name="model">The base, which is changed.</param>
    /// <param name="folder">For the file.</param>
    /// <param name="baseFile">The base's checkpoint.</param>
    /// <param name="provenance">What the weights carry in their header.</param>
    /// <returns>Path of the weights (GmP safetensors) and the curves, a step of which is a head.</returns>
    public (string BestModel, CurveRecorder Curves) Save(
        ClipModel model,
        Validator validator,
        string folder,
        FineTuningOptions options,
        string baseFile,
        IReadOnlyDictionary<string, string> provenance,
        CancellationToken cancel
    )
    {
        var curves = new CurveRecorder();
        curves.AddValidation(0, Base, options);
        foreach (var (place, (_, left)) in Heads.Index().Where(entry => entry.Item.Left is not null))
        {
            curves.AddValidation(place + 1, left!, options);
        }

        FoldInto(model, (int)curves.BestStep);
        var file = Path.Combine(folder, "best.safetensors");
        model.Save(file, provenance);
        validator.Finish(curves, file, baseFile, provenance, cancel);
        return (file, curves);
    }

    public void Dispose() => Means.Dispose();

    // All at once: it is compared with what was chosen, at an equal number.
    private static List<(TypographicHead Head, ValidationScores? Left)> Control(
        ClipModel model,
        IReadOnlyList<TypographicHead> all,
        List<(TypographicHead Head, ValidationScores? Left)> taken,
        HeadMeans means,
        Validator validator,
        FineTuningOptions options,
        Stack<Action> restore,
        CancellationToken cancel
    )
    {
        var twins = TypographicHeads.Twins(all, [.. taken.Select(entry => entry.Head)], options.Seed);
        foreach (var head in twins)
        {
            restore.Push(HeadMeans.Kept(head, model));
            means.Fold(head, model);
        }

        var left = validator.Scores(model, options.ReadingCost > 0, cancel);
        Undo(restore);
        return [.. twins.Select((head, place) => (head, place == twins.Count - 1 ? left : null))];
    }

    private static void Undo(Stack<Action> restore)
    {
        while (restore.TryPop(out var undo))
        {
            undo();
        }
    }
}
