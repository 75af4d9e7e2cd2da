using ClipSae.Clip.Architecture;
using ClipSae.Clip.Model;
using ClipSae.FineTuning.Data;
using ClipSae.Tensors;
using static TorchSharp.torch;

namespace ClipSae.FineTuning.Heads;

/// <summary>What heads give the class token on an average clean picture, and weights that give that always.</summary>
/// <param name="OfLayers">float32 [width] for each block: mean of the heads' outputs at the class token
/// (<see cref="HookPoint.Heads"/>).</param>
public sealed record HeadMeans(IReadOnlyList<Tensor> OfLayers) : IDisposable
{
    private const int Batch = 64;
    private const int MaxImages = 1024;

    /// <summary>Means over the clean pictures that are trained on.</summary>
    public static HeadMeans Of(ClipModel model, TuningData data, Device device, CancellationToken cancel)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        int[] pictures = [.. Enumerable.Range(0, Math.Min(MaxImages, data.Clean.Count))];
        Tensor[] sums =
        [
            .. Enumerable.Range(0, model.Architecture.VisionLayers).Select(_ => zeros(model.Architecture.VisionWidth, device: device)),
        ];
        foreach (var items in pictures.Chunk(Batch))
        {
            cancel.ThrowIfCancellationRequested();
            using var step = NewDisposeScope();
            var hooks = new Hooks();
            foreach (var (layer, sum) in sums.Index())
            {
                hooks.Observe(new HookPoint.Heads(layer), heads => sum.AddInPlace(heads.select(1, 0).to(ScalarType.Float32).sum([0])));
            }

            model.Run(data.Clean.Images(items, model.Architecture.Family.Normalization, device), hooks);
        }

        return new HeadMeans([.. sums.Select(sum => sum.Over(pictures.Length).DetachFromDisposeScope())]);
    }

    /// <summary>
    /// Takes a head out of a model's plain weights: its columns of the output projection become 0, and what they made of its mean joins the
    /// bias. Every token gets that mean, so that what the head read no longer reaches the class token, by whichever way.
    /// </summary>
    public void Fold(TypographicHead head, ClipModel model)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var (weight, bias) = Projection(head, model);
        var columns = Columns(head, model, weight);
        bias.AddInPlace(columns.mv(Columns(head, model, OfLayers[head.Layer].unsqueeze(0)).squeeze(0).to(columns.dtype)));
        columns.zero_();
    }

    /// <summary>The weights that <see cref="Fold"/> changes, as they are, to put them back.</summary>
    /// <returns>Puts them back.</returns>
    public static Action Kept(TypographicHead head, ClipModel model)
    {
        var (weight, bias) = Projection(head, model);
        var (keptWeight, keptBias) = (weight.clone(), bias.clone());
        return () =>
        {
            using var noGrad = no_grad();
            weight.copy_(keptWeight);
            bias.copy_(keptBias);
        };
    }

    public void Dispose()
    {
        foreach (var mean in OfLayers)
        {
            mean.Dispose();
        }
    }

    private static (Tensor Weight, Tensor Bias) Projection(TypographicHead head, ClipModel model)
    {
        var weights = model.StateDict();
        var key = FormattableString.Invariant($"{ClipKeys.VisionBlocks}{head.Layer}.attn.out_proj.");
        return (weights[key + "weight"], weights[key + "bias"]);
    }

    /// <returns>A view of the head's columns [rows, width of a head].</returns>
    private static Tensor Columns(TypographicHead head, ClipModel model, Tensor matrix)
    {
        var width = model.Architecture.VisionWidth / model.Architecture.VisionHeads;
        return matrix.narrow(1, (long)head.Index * width, width);
    }
}
