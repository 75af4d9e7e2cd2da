using ClipSae.Clip.Cuda;
using ClipSae.Tensors;
using TorchSharp;

namespace ClipSae.Clip;

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

    private readonly VisionBlockPlan[] blocks;
    private readonly torch.ScalarType type;
    private readonly torch.Device device;
    private readonly torch.Tensor patchWeight;
    private readonly torch.Tensor positions;
    private readonly Dictionary<string, torch.Tensor> ends = new(StringComparer.Ordinal);
    private readonly AttentionPooling? pooling;
    private readonly VisionKernels? kernels;
    private readonly torch.Tensor? nothingMissing;
    private readonly NullToken? nullToken;

    private VisionPlan(ClipModel model, torch.ScalarType type)
    {
        Architecture = model.Architecture;
        this.type = type;
        using var noGrad = torch.no_grad();
        using var scope = torch.NewDisposeScope();
        torch.Tensor Weight(string key) => model.Weight("visual." + key).detach().to(torch.float32);
        torch.Tensor Keep(torch.Tensor t) => t.to_type(type, copy: true).contiguous().DetachFromDisposeScope();
        device = model.LogitScale.device;
        // The kernels know OpenAI's tokens, pixels and LayerNorm; another family runs by libtorch's operations.
        kernels = device.type == DeviceType.CUDA && Architecture.Family == ClipFamily.OpenAi ? new VisionKernels(device, Architecture, type) : null;
        nothingMissing = kernels is null ? null : torch.zeros(Architecture.VisionWidth, device: device).DetachFromDisposeScope();
        blocks = new VisionBlockPlan[Architecture.VisionLayers];
        for (var layer = 0; layer < blocks.Length; layer++)
        {
            blocks[layer] = new VisionBlockPlan(model, layer, type, kernels, layer == 0 ? nothingMissing : blocks[layer - 1].Missing);
        }

        patchWeight = Keep(Weight("conv1.weight").view(Architecture.VisionWidth, -1));
        var table = Weight("positional_embedding").clone();
        if (Architecture.Family.HasClassToken)
        {
            table[0].AddInPlace(Weight("class_embedding"));
            (ends[PreScale], ends[PreShift]) = (Keep(Weight("ln_pre.weight")), Keep(Weight("ln_pre.bias")));
            ends[Projection] = Keep(Weight("ln_post.weight").unsqueeze(1) * Weight("proj"));
            ends[ProjectionBias] = Keep(Weight("ln_post.bias").unsqueeze(0).mm(Weight("proj")).squeeze(0));
        }
        else
        {
            table.AddInPlace(Weight("conv1.bias"));
            foreach (var (key, _) in ClipKeys.Shapes(Architecture).Where(weight => weight.Key.StartsWith(ClipKeys.Head, StringComparison.Ordinal) || weight.Key.StartsWith(ClipKeys.VisionNorm, StringComparison.Ordinal)))
            {
                ends[key] = Keep(model.Weight(key).detach());
            }

            pooling = new AttentionPooling(Architecture, (key, scale) => scale is null ? ends[key] : scale(ends[key]));
        }

        positions = Keep(table);
        if (model.NullToken is { } token)
        {
            // On a GPU the stream that it joins lacks the biases of earlier blocks.
            var missing = token.Block == 0 ? nothingMissing : blocks[token.Block - 1].Missing;
            var value = token.Value.detach().to(torch.float32);
            nullToken = token with { Value = Keep(missing is null ? value : value.sub(missing)) };
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
        foreach (var block in blocks)
        {
            block.Dispose();
        }

        foreach (var tensor in ends.Values.Append(patchWeight).Append(positions))
        {
            tensor.Dispose();
        }

        nothingMissing?.Dispose();
        nullToken?.Dispose();
        kernels?.Dispose();
    }

    /// <param name="depth">Last layer that matters, or null for all and the features.</param>
    private torch.Tensor? Forward(torch.Tensor images, Hooks? hooks, int? depth)
    {
        var batch = images.shape[0];
        var x = Embed(images);
        for (var layer = 0; layer < blocks.Length; layer++)
        {
            if (layer == nullToken?.Block)
            {
                x = torch.cat([x.view(batch, -1, Architecture.VisionWidth), nullToken.Value.expand(batch, 1, Architecture.VisionWidth)], 1).view(-1, Architecture.VisionWidth);
            }

            if (layer == blocks.Length - 1 && depth is null && pooling is null && !NeedsPatches(layer, hooks))
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
        return pooling is null ? OfClassToken(tokens.select(1, 0), hooks) : Hooked(pooling.Apply(tokens), hooks);
    }

    /// <summary>Patches [batch, grid², 3·patch²] in the plan's type, normalised.</summary>
    private torch.Tensor Cut(torch.Tensor images)
    {
        if (images.dtype != torch.ScalarType.Byte)
        {
            return Patches.Cut(images.to(type).to(device), Architecture);
        }

        var bytes = images.to(device);
        return kernels is null
            ? Patches.Cut(Architecture.Preparation.Normalization.Apply(bytes.shape[1] == 3 ? bytes : bytes.permute(0, 3, 1, 2)).to(type), Architecture)
            : kernels.CutPatches(bytes);
    }

    private static bool NeedsPatches(int layer, Hooks? hooks) =>
        hooks is not null && (hooks.Touches(new HookPoint.Residual(layer)) || hooks.Touches(new HookPoint.Mlp(layer)) || hooks.Touches(new HookPoint.Heads(layer)));

    private torch.Tensor Embed(torch.Tensor images)
    {
        var a = Architecture;
        var batch = images.shape[0];
        var x = torch.empty([batch, a.VisionTokens, a.VisionWidth], dtype: type, device: device);
        x.copy_(positions);
        var embedded = LinearLayer.Apply(Cut(images), patchWeight);
        x.narrow(1, a.ClassTokens, a.VisionTokens - a.ClassTokens).AddInPlace(embedded);
        return (a.Family.HasClassToken ? torch.nn.functional.layer_norm(x, [a.VisionWidth], ends[PreScale], ends[PreShift], a.Family.NormEpsilon) : x).view(-1, a.VisionWidth);
    }

    private void Block(torch.Tensor x, long batch, int layer, Hooks? hooks, int? depth)
    {
        using var scope = torch.NewDisposeScope();
        var block = blocks[layer];
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

    /// <summary>On a processor the batch in equal parts, each so small that what a block makes of it lies in memory used before; on a GPU the whole.</summary>
    private IEnumerable<(torch.Tensor Rows, long Images)> Slices(torch.Tensor x, long batch)
    {
        if (kernels is not null)
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
        var cls = blocks[layer].ClassTokensAfterAttention(x, batch);
        AddMlp(blocks[layer], cls);
        if (hooks is not null)
        {
            Hook(new HookPoint.Cls(layer), cls, blocks[layer].Missing, hooks);
        }

        return cls;
    }

    private torch.Tensor OfClassToken(torch.Tensor cls, Hooks? hooks)
    {
        var normal = kernels is null ? torch.nn.functional.layer_norm(cls, [Architecture.VisionWidth], eps: Architecture.Family.NormEpsilon) : kernels.Normalize(cls.contiguous(), blocks[^1].Missing!);
        return Hooked(torch.addmm(ends[ProjectionBias], normal, ends[Projection], 1, 1), hooks);
    }

    private static torch.Tensor Hooked(torch.Tensor features, Hooks? hooks) => hooks?.Apply(new HookPoint.ImageEmbedding(), features) ?? features;

    /// <summary>Hooks see a copy, because the stream itself goes on changing; what they return is written back.</summary>
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
