using ClipSae.Clip.Architecture;
using ClipSae.Tensors;
using TorchSharp;

namespace ClipSae.Clip.Model;

public sealed partial class ClipModel
{
    /// <summary>Text features, not normalised.</summary>
    /// <param name="tokens">Token ids [batch, context], int64, as the model's tokenizer pads them; a causal text is read at its end
    /// (<see cref="ClipFamily.EndsOf"/>).</param>
    /// <param name="hooks">What to capture, replace or scale in this call alone, on the columns that <see cref="Trim"/> leaves.</param>
    /// <returns>[batch, embed].</returns>
    public torch.Tensor EncodeText(torch.Tensor tokens, Hooks? hooks = null)
    {
        hooks?.Begin(Architecture, isText: true);
        torch.Tensor features;
        using (torch.NewDisposeScope())
        {
            features = EncodeTrimmedText(Trim(tokens), hooks);
            features = hooks?.Apply(new HookPoint.TextEmbedding(), features) ?? features;
            features = features.MoveToOuterDisposeScope();
        }

        hooks?.End(features);
        return features;
    }

    /// <summary>Computes texts only as deep as the hooks reach; read the values from them.</summary>
    /// <param name="tokens">As <see cref="EncodeText"/> takes them.</param>
    public void RunText(torch.Tensor tokens, Hooks hooks) =>
        hooks.RunShallow(
            Architecture,
            depth => TextBlocks(Trim(tokens), hooks, depth + 1),
            () => EncodeText(tokens, hooks).Dispose(),
            isText: true
        );

    /// <summary>
    /// Token ids without the columns behind the last end-of-text token, where they reach no result; on a GPU this waits for all that was
    /// started.
    /// </summary>
    /// <param name="tokens">As <see cref="EncodeText"/> takes them.</param>
    public torch.Tensor Trim(torch.Tensor tokens)
    {
        using var scope = torch.NewDisposeScope();
        if (!Architecture.Family.IsTextCausal)
        {
            return tokens.alias().MoveToOuterDisposeScope();
        }

        var used = Architecture.Family.EndsOf(tokens).max().item<long>() + 1;
        return tokens.narrow(1, 0, Math.Min(used, tokens.shape[1])).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// Token ids brought to one of few sizes: rows and columns of zeros. A GPU's attention is planned again for each size, which
    /// takes longer than many small steps, and different captions are as many in one batch as in no other.
    /// </summary>
    /// <param name="tokens">As <see cref="Trim"/> gave them.</param>
    /// <param name="context">Columns at most.</param>
    /// <returns>The first rows and columns are those given.</returns>
    public static torch.Tensor Pad(torch.Tensor tokens, long context)
    {
        const long Rows = 32,
            Columns = 8;
        using var scope = torch.NewDisposeScope();
        static long Up(long size, long step) => (size + step - 1) / step * step;
        var padded = torch.zeros(
            Up(tokens.shape[0], Rows),
            Math.Min(context, Up(tokens.shape[1], Columns)),
            dtype: tokens.dtype,
            device: tokens.device
        );
        padded.narrow(0, 0, tokens.shape[0]).narrow(1, 0, tokens.shape[1]).copy_(tokens);
        return padded.MoveToOuterDisposeScope();
    }

    /// <summary>
    /// <see cref="EncodeText"/> of tokens that <see cref="Trim"/> gave: where attention is causal, short texts cost little.
    /// </summary>
    public torch.Tensor EncodeTrimmedText(torch.Tensor tokens) => EncodeTrimmedText(tokens, hooks: null);

    private torch.Tensor EncodeTrimmedText(torch.Tensor tokens, Hooks? hooks)
    {
        using var scope = torch.NewDisposeScope();
        var (batch, last) = (tokens.shape[0], Architecture.TextLayers - 1);
        var ends = Architecture.Family.EndsOf(tokens);
        // Of the last block one token is asked for, unless a hook looks at it.
        var x =
            hooks?.TouchesLayer(last) == true
                ? TextBlocks(tokens, hooks, last + 1).gather(1, ends.view(batch, 1, 1).expand(batch, 1, Architecture.TextWidth)).squeeze(1)
                : _text.OneToken(last, TextBlocks(tokens, hooks, last), ends);
        x = Transformer.Norm(x, "ln_final", WeightInUse, Architecture.Family.NormEpsilon);
        return AsFeatures(
                _pooling is null
                    ? x.matmul(WeightInUse("text_projection"))
                    : LinearLayer.Apply(x, WeightInUse("text_projection.weight"), WeightInUse("text_projection.bias"))
            )
            .MoveToOuterDisposeScope();
    }

    /// <returns>The residual stream after the first <paramref name="count"/> blocks [batch, tokens, width].</returns>
    private torch.Tensor TextBlocks(torch.Tensor tokens, Hooks? hooks, int count)
    {
        var (batch, used) = (tokens.shape[0], tokens.shape[1]);
        var embedded = WeightInUse("token_embedding.weight").index_select(0, tokens.reshape(-1));
        var x = embedded.view(batch, used, -1).Plus(WeightInUse(ClipKeys.Positions).narrow(0, 0, used)).to(ComputeType);
        return Blocks(_text, x, 0, count, Architecture.Family.IsTextCausal, hooks);
    }
}
