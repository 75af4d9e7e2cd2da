using ClipSae.Clip.Architecture;
using ClipSae.Clip.Model;
using ClipSae.Tensors;
using TorchSharp;
using static TorchSharp.torch.nn.functional;

namespace ClipSae.Clip.Cuda;

/// <summary>
/// One vision block rewritten for inference: LayerNorm's scale and shift are folded into the linear layer behind them, and
/// the activation's slope into the layers around it (<see cref="MlpActivation"/>). The residual stream is updated in place; on a GPU the
/// products add to it themselves, and the biases, which they cannot add as well, stay out of it: the stream lacks <see cref="Missing"/>.
/// </summary>
internal sealed class VisionBlockPlan : IDisposable
{
    private readonly int _heads;
    private readonly int _width;
    private readonly double _epsilon;
    private readonly MlpActivation _activation;
    private readonly torch.Tensor _inWeight;
    private readonly torch.Tensor _inBias;
    private readonly torch.Tensor _outWeight;
    private readonly torch.Tensor _outBias;
    private readonly torch.Tensor _fcWeight;
    private readonly torch.Tensor _fcBias;
    private readonly torch.Tensor _projWeight;
    private readonly torch.Tensor _projBias;
    private readonly VisionKernels? _kernels;
    private readonly torch.Tensor? _missingBefore;
    private readonly torch.Tensor? _missingBetween;

    /// <param name="kernels">On a GPU; stays the caller's.</param>
    /// <param name="missingBefore">On a GPU, what the residual stream lacks before this block [width], float32; stays the caller's.</param>
    public VisionBlockPlan(ClipModel model, int layer, torch.ScalarType type, VisionKernels? kernels, torch.Tensor? missingBefore)
    {
        (_heads, _width, _activation, _epsilon) = (
            model.Architecture.VisionHeads,
            model.Architecture.VisionWidth,
            model.Architecture.Activation,
            model.Architecture.Family.NormEpsilon
        );
        (_kernels, _missingBefore) = (kernels, missingBefore);
        var block = ClipKeys.VisionBlocks + layer;
        using var scope = torch.NewDisposeScope();
        torch.Tensor Weight(string key) => model.Weight(block + key).detach().to(torch.float32);
        torch.Tensor Keep(torch.Tensor t) => LargePages.Copy(t, type).DetachFromDisposeScope();
        (torch.Tensor, torch.Tensor) Fold(string norm, string linear, string weight, string bias, double factor)
        {
            var w = Weight(linear + weight);
            return (
                Keep((w * Weight(norm + ".weight")).Times(factor)),
                Keep(Weight(linear + bias).Plus(w.mv(Weight(norm + ".bias"))).Times(factor))
            );
        }

        (_inWeight, _inBias) = Fold(".ln_1", ".attn.in_proj", "_weight", "_bias", 1);
        (_outWeight, _outBias) = (Keep(Weight(".attn.out_proj.weight")), Keep(Weight(".attn.out_proj.bias")));
        (_fcWeight, _fcBias) = Fold(".ln_2", ".mlp.c_fc", ".weight", ".bias", _activation.Slope);
        (_projWeight, _projBias) = (Keep(Weight(".mlp.c_proj.weight").Over(_activation.Slope)), Keep(Weight(".mlp.c_proj.bias")));
        _missingBetween = missingBefore?.Plus(Weight(".attn.out_proj.bias")).DetachFromDisposeScope();
        Missing = _missingBetween?.Plus(Weight(".mlp.c_proj.bias")).DetachFromDisposeScope();
    }

    /// <summary>
    /// On a GPU, what the residual stream lacks after this block [width], float32: the biases of this and earlier blocks; null elsewhere.
    /// </summary>
    public torch.Tensor? Missing { get; }

    /// <summary>Adds the attention's output to the residual stream.</summary>
    /// <param name="x">[batch·tokens, width], changed in place.</param>
    public void AddAttention(torch.Tensor x, long batch)
    {
        using var scope = torch.NewDisposeScope();
        AddHeads(x, Heads(x, batch));
    }

    /// <summary>What the attention heads give before the output projection.</summary>
    /// <param name="x">[batch·tokens, width].</param>
    /// <returns>[batch·tokens, width].</returns>
    public torch.Tensor Heads(torch.Tensor x, long batch)
    {
        using var scope = torch.NewDisposeScope();
        var fused = LinearLayer.Apply(Normalize(x, _missingBefore), _inWeight, _inBias).view(batch, -1, 3, _heads, _width / _heads);
        return Attend(fused.select(2, 0), fused.select(2, 1), fused.select(2, 2)).MoveToOuterDisposeScope();
    }

    /// <summary>Adds what <see cref="Heads"/> gave, projected, to the residual stream.</summary>
    /// <param name="x">[batch·tokens, width], changed in place.</param>
    /// <param name="mixed">[batch·tokens, width].</param>
    public void AddHeads(torch.Tensor x, torch.Tensor mixed)
    {
        using var scope = torch.NewDisposeScope();
        AddProduct(x, mixed, _outWeight, _outBias);
    }

    /// <summary>Like <see cref="AddAttention"/>, but only class tokens ask: all that the features need of the last block.</summary>
    /// <returns>The class tokens' residual stream [batch, width].</returns>
    public torch.Tensor ClassTokensAfterAttention(torch.Tensor x, long batch)
    {
        using var scope = torch.NewDisposeScope();
        var normal = Normalize(x, _missingBefore);
        var keysValues = LinearLayer
            .Apply(normal, _inWeight.narrow(0, _width, 2 * _width), _inBias.narrow(0, _width, 2 * _width))
            .view(batch, -1, 2, _heads, _width / _heads);
        var query = LinearLayer
            .Apply(normal.view(batch, -1, _width).select(1, 0), _inWeight.narrow(0, 0, _width), _inBias.narrow(0, 0, _width))
            .view(batch, 1, _heads, _width / _heads);
        var mixed = Attend(query, keysValues.select(2, 0), keysValues.select(2, 1));
        var cls = x.view(batch, -1, _width).select(1, 0).clone();
        AddProduct(cls, mixed, _outWeight, _outBias);
        return cls.MoveToOuterDisposeScope();
    }

    /// <summary>The MLP's neurons, times the activation's slope.</summary>
    /// <param name="x">[rows, width].</param>
    /// <returns>[rows, neurons].</returns>
    public torch.Tensor Neurons(torch.Tensor x)
    {
        using var scope = torch.NewDisposeScope();
        return _activation.ApplyInPlace(LinearLayer.Apply(Normalize(x, _missingBetween), _fcWeight, _fcBias)).MoveToOuterDisposeScope();
    }

    /// <summary>Adds the MLP's output to the residual stream.</summary>
    /// <param name="x">[rows, width], changed in place.</param>
    /// <param name="neurons">What <see cref="Neurons"/> gave [rows, neurons].</param>
    public void AddMlp(torch.Tensor x, torch.Tensor neurons)
    {
        using var scope = torch.NewDisposeScope();
        AddProduct(x, neurons, _projWeight, _projBias);
    }

    public void Dispose()
    {
        foreach (var tensor in new[] { _inWeight, _inBias, _outWeight, _outBias, _fcWeight, _fcBias, _projWeight, _projBias })
        {
            tensor.Dispose();
        }

        _missingBetween?.Dispose();
        Missing?.Dispose();
    }

    /// <param name="missing">What the stream lacks; null on a processor.</param>
    private torch.Tensor Normalize(torch.Tensor x, torch.Tensor? missing) =>
        _kernels is null ? layer_norm(x, [_width], eps: _epsilon) : _kernels.Normalize(x, missing!);

    private void AddProduct(torch.Tensor x, torch.Tensor factor, torch.Tensor weight, torch.Tensor bias)
    {
        if (_kernels is null)
        {
            x.AddInPlace(LinearLayer.Apply(factor, weight, bias));
        }
        else
        {
            x.addmm_(factor, weight.t(), 1, 1);
        }
    }

    private torch.Tensor Attend(torch.Tensor query, torch.Tensor key, torch.Tensor value) =>
        IsNarrow(query)
            ? AttendByProducts(query, key, value)
            : scaled_dot_product_attention(query.transpose(1, 2), key.transpose(1, 2), value.transpose(1, 2))
                .transpose(1, 2)
                .reshape(-1, _width);

    // libtorch's fused attention does not multiply bfloat16 natively on processors: two batched products and a softmax take a third of its
    // time there.
    private static bool IsNarrow(torch.Tensor query) => query.dtype == torch.bfloat16 && query.device.type == DeviceType.CPU;

    private torch.Tensor AttendByProducts(torch.Tensor query, torch.Tensor key, torch.Tensor value)
    {
        var (batch, queries) = (query.shape[0], query.shape[1]);
        torch.Tensor Heads(torch.Tensor x) => x.transpose(1, 2).contiguous().view(batch * _heads, x.shape[1], -1);
        // OpenAI's heads are 64 wide: their scale, 1/8, is exact.
        var scores = Heads(query).MultiplyInPlace(1 / Math.Sqrt(_width / _heads)).bmm(Heads(key).transpose(1, 2));
        return scores.softmax(-1).bmm(Heads(value)).view(batch, _heads, queries, -1).transpose(1, 2).reshape(-1, _width);
    }
}
