using ClipSae.Clip.Architecture;
using ClipSae.Clip.Model;
using ClipSae.Tensors;
using TorchSharp;

namespace ClipSae.Clip.Cuda;

/// <summary>
/// The vision tower of a <see cref="ClipModel"/> made ready for inference: the same features and hook points, quicker, without
/// gradients. It keeps its own folded weights, so later changes of the model do not reach it.
/// </summary>
public sealed class VisionPlan : IDisposable
{
    private const string PreScale = "scale before the blocks";
    private const string PreShift = "shift before the blocks";
    private const string Projection = "projection";
    private const string ProjectionBias = "bias of the projection";

    private readonly VisionBlockPlan[] _blocks;
    private readonly torch.ScalarType _type;
    private readonly torch.Device _device;
    private readonly torch.Tensor _patchWeight;
    private readonly torch.Tensor _positions;
    private readonly Dictionary<string, torch.Tensor> _ends = new(StringComparer.Ordinal);
    private readonly AttentionPooling? _pooling;
    private readonly VisionKernels? _kernels;
    private readonly torch.Tensor? _nothingMissing;
    private readonly NullToken? _nullToken;

    private VisionPlan(ClipModel model, torch.ScalarType type)
    {
        Architecture = model.Architecture;
        _type = type;
        using var noGrad = torch.no_grad();
        using var scope = torch.NewDisposeScope();
        torch.Tensor Weight(string key) => model.Weight("visual." + key).detach().to(torch.float32);
        torch.Tensor Keep(torch.Tensor t) => LargePages.Copy(t, type).DetachFromDisposeScope();
        _device = model.LogitScale.device;
        // The kernels know OpenAI's tokens, pixels and LayerNorm; another family runs by libtorch's operations.
        _kernels =
            _device.type == DeviceType.CUDA && Architecture.Family.HasClassToken ? new VisionKernels(_device, Architecture, type) : null;
        _nothingMissing = _kernels is null ? null : torch.zeros(Architecture.VisionWidth, device: _device).DetachFromDisposeScope();
        _blocks = new VisionBlockPlan[Architecture.VisionLayers];
        for (var layer = 0; layer < _blocks.Length; layer++)
        {
            _blocks[layer] = new VisionBlockPlan(model, layer, type, _kernels, layer == 0 ? _nothingMissing : _blocks[layer - 1].Missing);
        }

        _patchWeight = Keep(Weight("conv1.weight").view(Architecture.VisionWidth, -1));
        var table = Weight("positional_embedding").clone();
        if (Architecture.Family.HasClassToken)
        {
            table[0].AddInPlace(Weight("class_embedding"));
            (_ends[PreScale], _ends[PreShift]) = (Keep(Weight("ln_pre.weight")), Keep(Weight("ln_pre.bias")));
            _ends[Projection] = Keep(Weight("ln_post.weight").unsqueeze(1) * Weight("proj"));
            _ends[ProjectionBias] = Keep(Weight("ln_post.bias").unsqueeze(0).mm(Weight("proj")).squeeze(0));
        }
        else
        {
            table.AddInPlace(Weight("conv1.bias"));
            foreach (
                var (key, _) in ClipKeys
                    .Shapes(Architecture)
                    .Where(weight =>
                        weight.Key.StartsWith(ClipKeys.Head, StringComparison.Ordinal)
                        || weight.Key.StartsWith(ClipKeys.VisionNorm, StringComparison.Ordinal)
                    )
            )
            {
                _ends[key] = Keep(model.Weight(key).detach());
            }

            _pooling = new AttentionPooling(Architecture, (key, scale) => scale is null ? _ends[key] : scale(_ends[key]));
        }

        _positions = Keep(table);
        if (model.NullToken is { } token)
        {
            // On a GPU the stream that it joins lacks the biases of earlier blocks.
            var missing = token.Block == 0 ? _nothingMissing : _blocks[token.Block - 1].Missing;
            var value = token.Value.detach().to(torch.float32);
            _nullToken = token with { Value = Keep(missing is null ? value : value.sub(missing)) };
        }
    }

    public ClipArchitecture Architecture { get; }

    /// <summary>Copies and folds the model's weights.</summary>
    /// <param name="type">Precision to compute in: float32 when null, or bfloat16 for CPUs that multiply it natively.</param>
    public static VisionPlan Compile(ClipModel model, torch.ScalarType? type = null) => new(model, type ?? torch.float32);

    /// <summary>Image features, not normalised.</summary>
    /// <param name="images">
    /// Preprocessed images [batch, 3, R, R], floats; or their bytes before normalisation, uint8 [batch, 3, R, R] or [batch, R, R, 3].
    /// </param>
    /// <param name="hooks">What to capture, replace or scale in this call alone.</param>
    /// <returns>[batch, embed] in the plan's precision.</returns>
    public torch.Tensor EncodeImage(torch.Tensor images, Hooks? hooks = null)
    {
        using var noGrad = torch.no_grad();
        hooks?.Begin(Architecture);
        torch.Tensor features;
        using (torch.NewDisposeScope())
        {
            features = Forward(images, hooks, depth: null)!.MoveToOuterDisposeScope();
        }

        hooks?.End(features);
        return features;
    }

    /// <summary>Computes only as deep as the hooks reach; read the values from them.</summary>
    public void Run(torch.Tensor images, Hooks hooks)
    {
        using var noGrad = torch.no_grad();
        hooks.RunShallow(Architecture, depth => Forward(images, hooks, depth), () => EncodeImage(images, hooks).Dispose());
    }

    public void Dispose()
    {
        foreach (var block in _blocks)
        {
            block.Dispose();
        }

        foreach (var tensor in _ends.Values.Append(_patchWeight).Append(_positions))
        {
            tensor.Dispose();
        }

        _nothingMissing?.Dispose();
        _nullToken?.Dispose();
        _kernels?.Dispose();
    }

    /// <param name="depth">Last layer that matters, or null for all and the features.</param>
    private torch.Tensor? Forward(torch.Tensor images, Hooks? hooks, int? depth)
    {
        var batch = images.shape[0];
        var x = Embed(images);
        for (var layer = 0; layer < _blocks.Length; layer++)
        {
            if (layer == _nullToken?.Block)
            {
                x = torch
                    .cat([x.view(batch, -1, Architecture.VisionWidth), _nullToken.Value.expand(batch, 1, Architecture.VisionWidth)], 1)
                    .view(-1, Architecture.VisionWidth);
            }

            if (layer == _blocks.Length - 1 && depth is null && _pooling is null && !NeedsPatches(layer, hooks))
            {
                return OfClassToken(LastBlock(x, batch, layer, hooks), hooks);
            }

            Block(x, batch, layer, hooks, depth);
            if (layer == depth)
            {
                return null;
            }
        }

        var tokens = x.view(batch, -1, Architecture.VisionWidth);
        return _pooling is null ? OfClassToken(tokens.select(1, 0), hooks) : Hooked(_pooling.Apply(tokens), hooks);
    }

    /// <summary>Patches [batch, grid², 3·patch²] in the plan's type, normalised.</summary>
    private torch.Tensor Cut(torch.Tensor images)
    {
        if (images.dtype != torch.ScalarType.Byte)
        {
            return Patches.Cut(images.to(_type).to(_device), Architecture);
        }

        var bytes = images.to(_device);
        return _kernels is null
            ? Patches.Cut(
                Architecture.Preparation.Normalization.Apply(bytes.shape[1] == 3 ? bytes : bytes.permute(0, 3, 1, 2)).to(_type),
                Architecture
            )
            : _kernels.CutPatches(bytes);
    }

    private static bool NeedsPatches(int layer, Hooks? hooks) =>
        hooks is not null
        && (
            hooks.Touches(new HookPoint.Residual(layer))
            || hooks.Touches(new HookPoint.Mlp(layer))
            || hooks.Touches(new HookPoint.Heads(layer))
        );

    private torch.Tensor Embed(torch.Tensor images)
    {
        var a = Architecture;
        var batch = images.shape[0];
        var x = torch.empty([batch, a.VisionTokens, a.VisionWidth], dtype: _type, device: _device);
        x.copy_(_positions);
        var embedded = LinearLayer.Apply(Cut(images), _patchWeight);
        x.narrow(1, a.ClassTokens, a.VisionTokens - a.ClassTokens).AddInPlace(embedded);
        return (
            a.Family.HasClassToken
                ? torch.nn.functional.layer_norm(x, [a.VisionWidth], _ends[PreScale], _ends[PreShift], a.Family.NormEpsilon)
                : x
        ).view(-1, a.VisionWidth);
    }

    private void Block(torch.Tensor x, long batch, int layer, Hooks? hooks, int? depth)
    {
        using var scope = torch.NewDisposeScope();
        var block = _blocks[layer];
        var point = new HookPoint.Mlp(layer);
        var hooked = hooks?.Touches(point) == true;
        var ofHeads = new HookPoint.Heads(layer);
        var isHeadsHooked = hooks?.Touches(ofHeads) == true;
        if (isHeadsHooked)
        {
            block.AddHeads(x, hooks!.Apply(ofHeads, block.Heads(x, batch).view(batch, -1, Architecture.VisionWidth)).view(x.shape[0], -1));
        }

        foreach (var (slice, images) in Slices(x, batch))
        {
            if (!isHeadsHooked)
            {
                block.AddAttention(slice, images);
            }

            if (!hooked)
            {
                AddMlp(block, slice);
            }
        }

        if (hooked)
        {
            var neurons = block.Neurons(x);
            var plain = neurons.Over(Architecture.Activation.Slope).view(batch, -1, Architecture.VisionNeurons);
            var changed = hooks!.Apply(point, plain);
            if (layer == depth && !hooks.Touches(new HookPoint.Residual(layer)) && !hooks.Touches(new HookPoint.Cls(layer)))
            {
                return;
            }

            block.AddMlp(x, ReferenceEquals(changed, plain) ? neurons : changed.Times(Architecture.Activation.Slope).view(x.shape[0], -1));
        }

        if (hooks is not null)
        {
            var stream = x.view(batch, -1, Architecture.VisionWidth);
            Hook(new HookPoint.Residual(layer), stream, block.Missing, hooks);
            Hook(new HookPoint.Cls(layer), stream.select(1, 0), block.Missing, hooks);
        }
    }

    private static void AddMlp(VisionBlockPlan block, torch.Tensor x)
    {
        using var neurons = block.Neurons(x);
        block.AddMlp(x, neurons);
    }

    /// <summary>
    /// On a processor the batch in equal parts, each so small that what a block makes of it is in memory used before; on a GPU the whole.
    /// </summary>
    private IEnumerable<(torch.Tensor Rows, long Images)> Slices(torch.Tensor x, long batch)
    {
        if (_kernels is not null)
        {
            yield return (x, batch);
            yield break;
        }

        var tokens = x.shape[0] / batch;
        var fit = Math.Max(1, (NativeHeap.MaxKeptBlock - 1) / (tokens * Architecture.VisionNeurons * x.element_size()));
        var slices = (batch + fit - 1) / fit;
        for (long i = 0, first = 0; i < slices; i++)
        {
            var images = (batch * (i + 1) / slices) - first;
            yield return (x.narrow(0, first * tokens, images * tokens), images);
            first += images;
        }
    }

    private torch.Tensor LastBlock(torch.Tensor x, long batch, int layer, Hooks? hooks)
    {
        var cls = _blocks[layer].ClassTokensAfterAttention(x, batch);
        AddMlp(_blocks[layer], cls);
        if (hooks is not null)
        {
            Hook(new HookPoint.Cls(layer), cls, _blocks[layer].Missing, hooks);
        }

        return cls;
    }

    private torch.Tensor OfClassToken(torch.Tensor cls, Hooks? hooks)
    {
        var normal = _kernels is null
            ? torch.nn.functional.layer_norm(cls, [Architecture.VisionWidth], eps: Architecture.Family.NormEpsilon)
            : _kernels.Normalize(cls.contiguous(), _blocks[^1].Missing!);
        return Hooked(torch.addmm(_ends[ProjectionBias], normal, _ends[Projection], 1, 1), hooks);
    }

    private static torch.Tensor Hooked(torch.Tensor features, Hooks? hooks) =>
        hooks?.Apply(new HookPoint.ImageEmbedding(), features) ?? features;

    /// <summary>Hooks see a copy, because the stream itself continues changing; what they return is written back.</summary>
    /// <param name="missing">What the stream lacks and hooks see, on a GPU.</param>
    private static void Hook(HookPoint point, torch.Tensor stream, torch.Tensor? missing, Hooks hooks)
    {
        if (!hooks.Touches(point))
        {
            return;
        }

        var copy = missing is null ? stream.clone() : stream.Plus(missing).to(stream.dtype);
        var changed = hooks.Apply(point, copy);
        if (!ReferenceEquals(changed, copy))
        {
            stream.copy_(missing is null ? changed : changed.sub(missing));
        }
    }
}
