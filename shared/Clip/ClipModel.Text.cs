using ClipSae.Tensors;
using TorchSharp;

namespace ClipSae.Clip;

public sealed partial class ClipModel
{
    /// <summary>Text features, not normalised.</summary>
    /// <param name="tokens">Token ids [batch, context], int64, as the model's tokenizer pads them; in a causal text the end-of-text id is the largest of a row.</param>
    /// <returns>[batch, embed].</returns>
    public torch.Tensor EncodeText(torch.Tensor tokens)
    {
        using var scope = torch.NewDisposeScope();
        return EncodeTrimmedText(Trim(tokens)).MoveToOuterDisposeScope();
    }

    /// <summary>Token ids without the columns behind the last end-of-text token, where they reach no result; on a GPU this waits for all that was begun.</summary>
    /// <param name="tokens">As <see cref="EncodeText"/> takes them.</param>
    public torch.Tensor Trim(torch.Tensor tokens)
    {
        using var scope = torch.NewDisposeScope();
        if (!Architecture.Family.IsTextCausal)
        {
            return tokens.alias().MoveToOuterDisposeScope();
        }

        return tokens.narrow(1, 0, Math.Min(tokens.argmax(-1).max().item<long>() + 1, tokens.shape[1])).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// Token ids brought to one of few sizes: rows and columns of zeros. A GPU's attention is planned anew for each size, which
    /// takes longer than many small steps, and different captions are as many in one batch as in no other.
    /// </summary>
    /// <param name="tokens">As <see cref="Trim"/> gave them.</param>
    /// <param name="context">Columns at most.</param>
    /// <returns>The first rows and columns are those given.</returns>
    public static torch.Tensor Pad(torch.Tensor tokens, long context)
    {
        const long Rows = 32, Columns = 8;
        using var scope = torch.NewDisposeScope();
        static long Up(long size, long step) => (size + step - 1) / step * step;
        var padded = torch.zeros(Up(tokens.shape[0], Rows), Math.Min(context, Up(tokens.shape[1], Columns)), dtype: tokens.dtype, device: tokens.device);
        padded.narrow(0, 0, tokens.shape[0]).narrow(1, 0, tokens.shape[1]).copy_(tokens);
        return padded.MoveToOuterDisposeScope();
    }

    /// <summary><see cref="EncodeText"/> of tokens that <see cref="Trim"/> gave: where attention is causal, short texts cost little.</summary>
    public torch.Tensor EncodeTrimmedText(torch.Tensor tokens)
    {
        using var scope = torch.NewDisposeScope();
        var (batch, used, causal) = (tokens.shape[0], tokens.shape[1], Architecture.Family.IsTextCausal);
        var ends = causal ? tokens.argmax(-1) : torch.tensor(Enumerable.Repeat(used - 1, (int)batch).ToArray(), device: tokens.device);
        var embedded = WeightInUse("token_embedding.weight").index_select(0, tokens.reshape(-1));
        var x = embedded.view(batch, used, -1).Plus(WeightInUse(ClipKeys.Positions).narrow(0, 0, used)).to(ComputeType);
        x = Blocks(text, x, 0, Architecture.TextLayers - 1, causal, hooks: null);
        x = text.OneToken(Architecture.TextLayers - 1, x, ends);
        x = Transformer.Norm(x, "ln_final", WeightInUse, Architecture.Family.NormEpsilon);
        return AsFeatures(pooling is null
            ? x.matmul(WeightInUse("text_projection"))
            : LinearLayer.Apply(x, WeightInUse("text_projection.weight"), WeightInUse("text_projection.bias"))).MoveToOuterDisposeScope();
    }
}
