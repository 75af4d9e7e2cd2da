using ClipSae.Clip.Architecture;
using ClipSae.Clip.Model;
using ClipSae.Sae.Encoding;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ClipSae.FineTuning.Heads;

/// <summary>What attention heads write along the directions of an SAE's features, from their outputs before the projection.</summary>
/// <param name="Heads">The heads.</param>
public sealed record TextDirections(IReadOnlyList<TextDirections.OfHead> Heads) : IDisposable
{
    /// <summary>Directions as one head sees them.</summary>
    /// <param name="Layer">Block of the head.</param>
    /// <param name="Index">Place of the head in the block.</param>
    /// <param name="Rows">float32 [features, width of a head]: a product with the head's output is its write along each feature's
    /// direction.</param>
    public sealed record OfHead(int Layer, int Index, Tensor Rows);

    /// <summary>Directions as the heads of a model see them.</summary>
    /// <param name="model">The base.</param>
    /// <param name="hook">Where the SAE reads.</param>
    /// <param name="features">Its text-salient features.</param>
    public static TextDirections Of(
        ClipModel model,
        HookPoint hook,
        SparseAutoencoder autoencoder,
        IReadOnlyList<int> features,
        IEnumerable<TypographicHead> heads
    )
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var weights = model.PlainStateDict();
        var directions = functional.normalize(InStream(weights, hook, autoencoder, features), dim: 1);
        var width = model.Architecture.VisionWidth / model.Architecture.VisionHeads;
        return new TextDirections([
            .. heads.Select(head => new OfHead(
                head.Layer,
                head.Index,
                directions
                    .matmul(
                        Weight(weights, FormattableString.Invariant($"{ClipKeys.VisionBlocks}{head.Layer}.attn.out_proj.weight"))
                            .narrow(1, (long)head.Index * width, width)
                    )
                    .DetachFromDisposeScope()
            )),
        ]);
    }

    public void Dispose()
    {
        foreach (var head in Heads)
        {
            head.Rows.Dispose();
        }
    }

    /// <summary>
    /// Directions of the residual stream, [features, width]: what a feature reads of it (<c>residual</c>, <c>cls</c>), what it writes into
    /// it by way of its neurons (<c>mlp</c>), or what moves it by way of ln_post, whose division by the stream's spread is left out, and
    /// the projection (<c>image-embedding</c>).
    /// </summary>
    private static Tensor InStream(
        IReadOnlyDictionary<string, Tensor> weights,
        HookPoint hook,
        SparseAutoencoder autoencoder,
        IReadOnlyList<int> features
    )
    {
        Tensor Chosen(Tensor rows) =>
            rows.index_select(0, tensor(features.Select(f => (long)f).ToArray(), device: rows.device)).to(ScalarType.Float32);
        switch (hook)
        {
            case HookPoint.Mlp mlp:
                return Chosen(autoencoder.DecoderRows)
                    .matmul(Weight(weights, FormattableString.Invariant($"{ClipKeys.VisionBlocks}{mlp.Layer}.mlp.c_proj.weight")).t());
            case HookPoint.ImageEmbedding:
                var scaled =
                    Chosen(autoencoder.EncoderRows).matmul(Weight(weights, "visual.proj").t()) * Weight(weights, "visual.ln_post.weight");
                return scaled - scaled.mean([1], keepdim: true);
            default:
                return Chosen(autoencoder.EncoderRows);
        }
    }

    private static Tensor Weight(IReadOnlyDictionary<string, Tensor> weights, string key) => weights[key].to(ScalarType.Float32);
}
