using ClipSae.Clip.Architecture;
using ClipSae.Tensors;
using TorchSharp;
using static TorchSharp.torch.nn.functional;

namespace ClipSae.Clip.Model;

/// <summary>Gives the weight of a name, scaled where <paramref name="scale"/> is given: a product with a number.</summary>
internal delegate torch.Tensor NamedWeight(string key, Func<torch.Tensor, torch.Tensor>? scale = null);

/// <summary>The pre-LN transformer blocks that both towers share, computed from named weights.</summary>
internal sealed class Transformer(string prefix, int width, int heads, ClipArchitecture architecture, NamedWeight weight)
{
    private readonly bool _isText = prefix == ClipKeys.TextBlocks;
    private readonly MlpActivation _activation = architecture.Activation;
    private readonly double _epsilon = architecture.Family.NormEpsilon;
    private readonly int _headWidth = width / heads;

    /// <summary>Before the number of each block.</summary>
    public string Prefix => prefix;

    /// <summary>Whether the blocks' weights get gradients.</summary>
    public bool IsTrained => weight(prefix + "0.ln_1.bias").requires_grad;

    /// <summary>LayerNorm over the last axis with the weights under <paramref name="key"/>.</summary>
    public static torch.Tensor Norm(torch.Tensor x, string key, NamedWeight weight, double epsilon) =>
        layer_norm(x, [x.shape[^1]], weight(key + ".weight"), weight(key + ".bias"), epsilon);

    /// <param name="x">Residual stream [batch, tokens, width].</param>
    /// <returns>The block's output, the same shape.</returns>
    public torch.Tensor Block(int layer, torch.Tensor x, bool causal, Hooks? hooks)
    {
        using var scope = torch.NewDisposeScope();
        var block = prefix + layer;
        x = x.Plus(Attention(block, layer, Norm(x, block + ".ln_1", weight, _epsilon), causal, hooks));
        x = x.Plus(Mlp(block, layer, Norm(x, block + ".ln_2", weight, _epsilon), hooks));
        if (hooks is not null)
        {
            x = _isText
                ? hooks.Apply(new HookPoint.TextResidual(layer), x)
                : ApplyToClassToken(layer, hooks.Apply(new HookPoint.Residual(layer), x), hooks);
        }

        return x.MoveToOuterDisposeScope();
    }

    /// <summary>
    /// A block of whose output one token a sequence is asked for: the others are looked at, but what becomes of them is not computed.
    /// </summary>
    /// <param name="x">Residual stream [batch, tokens, width].</param>
    /// <param name="asked">Where that token is [batch], int64, looking at those up to itself; null for the first, looking at all.</param>
    /// <returns>The block's output for that token [batch, width].</returns>
    public torch.Tensor OneToken(int layer, torch.Tensor x, torch.Tensor? asked)
    {
        using var scope = torch.NewDisposeScope();
        var (block, batch, tokens) = (prefix + layer, x.shape[0], x.shape[1]);
        torch.Tensor Asked(torch.Tensor stream) =>
            asked is null
                ? stream.select(1, 0)
                : stream
                    .reshape(batch * tokens, width)
                    .index_select(0, TensorArithmetic.Range(batch * tokens, device: x.device).view(batch, tokens).select(1, 0).Plus(asked));
        var (inWeight, inBias) = (weight(block + ".attn.in_proj_weight"), weight(block + ".attn.in_proj_bias"));
        torch.Tensor Part(torch.Tensor rows, int first, int parts) =>
            LinearLayer
                .Apply(rows, inWeight.narrow(0, first * width, parts * width), inBias.narrow(0, first * width, parts * width))
                .view(batch, -1, parts, heads, _headWidth);
        var normal = Norm(x, block + ".ln_1", weight, _epsilon);
        var keysValues = Part(normal, 1, 2).unbind(2);
        var query = Part(Asked(normal), 0, 1).squeeze(2);
        var seen = asked is null
            ? null
            : TensorArithmetic.Range(tokens, device: x.device).less_equal(asked.unsqueeze(1)).view(batch, 1, 1, tokens);
        var mixed = scaled_dot_product_attention(
                query.transpose(1, 2),
                keysValues[0].transpose(1, 2),
                keysValues[1].transpose(1, 2),
                attn_mask: seen
            )
            .transpose(1, 2)
            .reshape(batch, width);
        var one = Asked(x).Plus(LinearLayer.Apply(mixed, weight(block + ".attn.out_proj.weight"), weight(block + ".attn.out_proj.bias")));
        return one.Plus(Mlp(block, layer, Norm(one, block + ".ln_2", weight, _epsilon), hooks: null)).MoveToOuterDisposeScope();
    }

    private Func<torch.Tensor, torch.Tensor>? Steepen => _activation.Slope == 1 ? null : weight => weight.Times(_activation.Slope);

    private Func<torch.Tensor, torch.Tensor>? Flatten => _activation.Slope == 1 ? null : weight => weight.Over(_activation.Slope);

    private static torch.Tensor ApplyToClassToken(int layer, torch.Tensor x, Hooks hooks)
    {
        var point = new HookPoint.Cls(layer);
        if (!hooks.Touches(point))
        {
            return x;
        }

        var cls = x.select(1, 0);
        var changed = hooks.Apply(point, cls);
        return ReferenceEquals(changed, cls) ? x : torch.cat([changed.unsqueeze(1), x.narrow(1, 1, x.shape[1] - 1)], 1);
    }

    private torch.Tensor Attention(string block, int layer, torch.Tensor x, bool causal, Hooks? hooks)
    {
        var (batch, tokens) = (x.shape[0], x.shape[1]);
        var fused = LinearLayer
            .Apply(x, weight(block + ".attn.in_proj_weight"), weight(block + ".attn.in_proj_bias"))
            .view(batch, tokens, 3, heads, _headWidth)
            .unbind(2);
        var mixed = scaled_dot_product_attention(
                fused[0].transpose(1, 2),
                fused[1].transpose(1, 2),
                fused[2].transpose(1, 2),
                is_casual: causal
            )
            .transpose(1, 2)
            .reshape(batch, tokens, width);
        mixed = _isText ? mixed : hooks?.Apply(new HookPoint.Heads(layer), mixed) ?? mixed;
        return LinearLayer.Apply(mixed, weight(block + ".attn.out_proj.weight"), weight(block + ".attn.out_proj.bias"));
    }

    private torch.Tensor Mlp(string block, int layer, torch.Tensor x, Hooks? hooks)
    {
        HookPoint point = _isText ? new HookPoint.TextMlp(layer) : new HookPoint.Mlp(layer);
        var scaled = _activation.Apply(
            LinearLayer.Apply(x, weight(block + ".mlp.c_fc.weight", Steepen), weight(block + ".mlp.c_fc.bias", Steepen))
        );
        var (project, bias) = (block + ".mlp.c_proj.weight", weight(block + ".mlp.c_proj.bias"));
        if (hooks?.Touches(point) == true)
        {
            var plain = _activation.Slope == 1 ? scaled : scaled.Over(_activation.Slope);
            var changed = hooks.Apply(point, plain);
            if (!ReferenceEquals(changed, plain))
            {
                return LinearLayer.Apply(changed, weight(project), bias);
            }
        }

        return LinearLayer.Apply(scaled, weight(project, Flatten), bias);
    }
}
