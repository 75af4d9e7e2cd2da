using ClipSae.Tensors;
using TorchSharp;
using static TorchSharp.torch.nn.functional;

namespace ClipSae.Clip;

/// <summary>
/// One vision block rewritten for inference: LayerNorm's scale and shift are folded into the linear layer behind them, and
/// QuickGELU's slope into the layers around it, since x·σ(1.702x) = silu(1.702x)/1.702. The residual stream is updated in place.
/// </summary>
internal sealed class VisionBlockPlan : IDisposable
{
    private readonly int heads;
    private readonly int width;
    private readonly torch.Tensor inWeight;
    private readonly torch.Tensor inBias;
    private readonly torch.Tensor outWeight;
    private readonly torch.Tensor outBias;
    private readonly torch.Tensor fcWeight;
    private readonly torch.Tensor fcBias;
    private readonly torch.Tensor projWeight;
    private readonly torch.Tensor projBias;

    public VisionBlockPlan(ClipModel model, int layer, torch.ScalarType type)
    {
        (heads, width) = (model.Architecture.VisionHeads, model.Architecture.VisionWidth);
        var block = ClipKeys.VisionBlocks + layer;
        using var scope = torch.NewDisposeScope();
        torch.Tensor Weight(string key) => model.Weight(block + key).detach().to(torch.float32);
        torch.Tensor Keep(torch.Tensor t) => t.to_type(type, copy: true).contiguous().DetachFromDisposeScope();
        (torch.Tensor, torch.Tensor) Fold(string norm, string linear, string weight, string bias, double factor)
        {
            var w = Weight(linear + weight);
            return (Keep((w * Weight(norm + ".weight")).Times(factor)), Keep(Weight(linear + bias).Plus(w.mv(Weight(norm + ".bias"))).Times(factor)));
        }

        (inWeight, inBias) = Fold(".ln_1", ".attn.in_proj", "_weight", "_bias", 1);
        (outWeight, outBias) = (Keep(Weight(".attn.out_proj.weight")), Keep(Weight(".attn.out_proj.bias")));
        (fcWeight, fcBias) = Fold(".ln_2", ".mlp.c_fc", ".weight", ".bias", Transformer.QuickGeluSlope);
        (projWeight, projBias) = (Keep(Weight(".mlp.c_proj.weight").Over(Transformer.QuickGeluSlope)), Keep(Weight(".mlp.c_proj.bias")));
    }

    /// <summary>Adds the attention's output to the residual stream.</summary>
    /// <param name="x">[batch·tokens, width], changed in place.</param>
    public void AddAttention(torch.Tensor x, long batch)
    {
        using var scope = torch.NewDisposeScope();
        var fused = LinearLayer.Apply(Normalize(x), inWeight, inBias).view(batch, -1, 3, heads, width / heads);
        var mixed = Attend(fused.select(2, 0), fused.select(2, 1), fused.select(2, 2));
        x.AddInPlace(LinearLayer.Apply(mixed, outWeight, outBias));
    }

    /// <summary>Like <see cref="AddAttention"/>, but only class tokens ask: all that the features need of the last block.</summary>
    /// <returns>The class tokens' residual stream [batch, width].</returns>
    public torch.Tensor ClassTokensAfterAttention(torch.Tensor x, long batch)
    {
        using var scope = torch.NewDisposeScope();
        var normal = Normalize(x);
        var keysValues = LinearLayer.Apply(normal, inWeight.narrow(0, width, 2 * width), inBias.narrow(0, width, 2 * width))
            .view(batch, -1, 2, heads, width / heads);
        var query = LinearLayer.Apply(normal.view(batch, -1, width).select(1, 0), inWeight.narrow(0, 0, width), inBias.narrow(0, 0, width))
            .view(batch, 1, heads, width / heads);
        var mixed = Attend(query, keysValues.select(2, 0), keysValues.select(2, 1));
        return x.view(batch, -1, width).select(1, 0).Plus(LinearLayer.Apply(mixed, outWeight, outBias)).MoveToOuterDisposeScope();
    }

    /// <summary>The MLP's neurons, times QuickGELU's slope.</summary>
    /// <param name="x">[rows, width].</param>
    /// <returns>[rows, 4·width].</returns>
    public torch.Tensor Neurons(torch.Tensor x)
    {
        using var scope = torch.NewDisposeScope();
        return LinearLayer.Apply(Normalize(x), fcWeight, fcBias).silu_().MoveToOuterDisposeScope();
    }

    /// <summary>Adds the MLP's output to the residual stream.</summary>
    /// <param name="x">[rows, width], changed in place.</param>
    /// <param name="neurons">What <see cref="Neurons"/> gave [rows, 4·width].</param>
    public void AddMlp(torch.Tensor x, torch.Tensor neurons)
    {
        using var scope = torch.NewDisposeScope();
        x.AddInPlace(LinearLayer.Apply(neurons, projWeight, projBias));
    }

    public void Dispose()
    {
        foreach (var tensor in new[] { inWeight, inBias, outWeight, outBias, fcWeight, fcBias, projWeight, projBias })
        {
            tensor.Dispose();
        }
    }

    private torch.Tensor Normalize(torch.Tensor x) => layer_norm(x, [width]);

    private torch.Tensor Attend(torch.Tensor query, torch.Tensor key, torch.Tensor value) => IsNarrow(query)
        ? AttendByProducts(query, key, value)
        : scaled_dot_product_attention(query.transpose(1, 2), key.transpose(1, 2), value.transpose(1, 2))
            .transpose(1, 2).reshape(-1, width);

    // libtorch's fused attention does not multiply bfloat16 natively on processors: two batched products and a softmax take a third of its time there.
    private static bool IsNarrow(torch.Tensor query) => query.dtype == torch.bfloat16 && query.device.type == DeviceType.CPU;

    private torch.Tensor AttendByProducts(torch.Tensor query, torch.Tensor key, torch.Tensor value)
    {
        var (batch, queries) = (query.shape[0], query.shape[1]);
        torch.Tensor Heads(torch.Tensor x) => x.transpose(1, 2).contiguous().view(batch * heads, x.shape[1], -1);
        // Heads are 64 wide: their scale, 1/8, is exact.
        var scores = Heads(query).MultiplyInPlace(1 / Math.Sqrt(width / heads)).bmm(Heads(key).transpose(1, 2));
        return scores.softmax(-1).bmm(Heads(value)).view(batch, heads, queries, -1).transpose(1, 2).reshape(-1, width);
    }
}
