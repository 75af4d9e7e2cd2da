using ClipSae.Clip.Architecture;
using ClipSae.Clip.Checkpoints;
using ClipSae.Clip.Training;
using ClipSae.Tensors;
using TorchSharp;
using TorchSharp.Modules;

namespace ClipSae.Clip.Model;

/// <summary>
/// A CLIP with a vision transformer, OpenAI's (science, section 1) or of another <see cref="ClipFamily"/>. Parameters carry OpenAI's key
/// names. The same code runs inference and training; wrap inference in <c>torch.inference_mode()</c> or <c>torch.no_grad()</c>.
/// </summary>
public sealed partial class ClipModel : torch.nn.Module
{
    private readonly Transformer _vision;
    private readonly Transformer _text;
    private readonly AttentionPooling? _pooling;

    private ClipModel(ClipArchitecture architecture, IEnumerable<KeyValuePair<string, torch.Tensor>> weights)
        : base(nameof(ClipModel))
    {
        Architecture = architecture;
        foreach (var (key, tensor) in weights)
        {
            register_parameter(key, new Parameter(tensor));
            _nullBlock ??= ClipStateDict.NullTokenBlock(key, architecture);
        }

        _vision = new Transformer(ClipKeys.VisionBlocks, architecture.VisionWidth, architecture.VisionHeads, architecture, WeightInUse);
        _text = new Transformer(ClipKeys.TextBlocks, architecture.TextWidth, architecture.TextHeads, architecture, WeightInUse);
        _pooling = architecture.Family.HasClassToken ? null : new AttentionPooling(architecture, WeightInUse);
    }

    public ClipArchitecture Architecture { get; }

    /// <summary>Whether the MLPs are in Geometric Parametrization.</summary>
    public bool IsGeometric => _internal_params.ContainsKey(ClipKeys.VisionBlocks + "0.mlp.c_fc" + ClipKeys.Theta);

    /// <summary>Whether the text tower has Long-CLIP's two positional embeddings.</summary>
    public bool HasLongPositions => _internal_params.ContainsKey(ClipKeys.StretchedPositions);

    /// <summary>Natural logarithm of the factor on cosines: a scalar parameter.</summary>
    public torch.Tensor LogitScale => _internal_params[ClipKeys.LogitScale];

    /// <summary>
    /// What is added to scaled cosines, a scalar parameter; null where texts compete in a softmax, which it would not change.
    /// </summary>
    public torch.Tensor? LogitBias => _internal_params.TryGetValue(ClipKeys.LogitBias, out var bias) ? bias : null;

    /// <summary>The training that this model is in; null outside of one.</summary>
    public ClipTraining? Training { get; internal set; }

    /// <summary>Precision of the forward pass.</summary>
    private torch.ScalarType ComputeType => Training?.Weights?.Type ?? _internal_params["visual.conv1.weight"].dtype;

    /// <summary>Where blocks are noted for recomputation; null where they keep their activations.</summary>
    private BlockTape? Tape => torch.is_grad_enabled() ? Training?.Tape : null;

    /// <summary>Loads a checkpoint in any form that <see cref="ClipCheckpoint"/> reads.</summary>
    /// <param name="path">File or folder.</param>
    /// <param name="device">Where to put the weights; the CPU when null.</param>
    /// <param name="type">Precision to compute in; float32 when null, whatever the file holds.</param>
    /// <exception cref="UserErrorException">File unusable; key missing, left over, or of wrong shape; names file and key.</exception>
    public static ClipModel Load(string path, torch.Device? device = null, torch.ScalarType? type = null)
    {
        using var checkpoint = ClipCheckpoint.Open(path);
        return Load(checkpoint, device, type);
    }

    /// <summary>Loads an open checkpoint.</summary>
    /// <param name="checkpoint">The checkpoint; it may be closed afterwards.</param>
    /// <param name="device">Where to put the weights; the CPU when null.</param>
    /// <param name="type">Precision to compute in; float32 when null, whatever the file holds.</param>
    public static ClipModel Load(ClipCheckpoint checkpoint, torch.Device? device = null, torch.ScalarType? type = null)
    {
        using var scope = torch.NewDisposeScope();
        var read = checkpoint.ReadAll(type ?? torch.float32);
        var weights = checkpoint.Keys.Select(key => KeyValuePair.Create(key, read[key].to(device ?? torch.CPU).DetachFromDisposeScope()));
        return new ClipModel(checkpoint.Architecture, weights);
    }

    /// <summary>
    /// A model from tensors with OpenAI's keys (plain or <c>.theta</c>/<c>.r</c>), which it copies to float32 or <paramref name="type"/>.
    /// </summary>
    /// <param name="like">Has the activation and heads that tensors do not say; those of OpenAI's models when null.</param>
    /// <exception cref="UserErrorException">Key missing, left over, or of wrong shape; names the key.</exception>
    public static ClipModel FromStateDict(
        IReadOnlyDictionary<string, torch.Tensor> tensors,
        torch.ScalarType? type = null,
        ClipArchitecture? like = null
    )
    {
        var shapes = tensors.ToDictionary(e => e.Key, e => (IReadOnlyList<long>)e.Value.shape, StringComparer.Ordinal);
        var (architecture, expected) = ClipStateDict.Check(shapes, "state dict");
        var traits = like is null
            ? ModelTraits.Unknown
            : new ModelTraits(like.Activation, like.VisionHeads, like.TextHeads, like.ImageResolution, like.Filter, like.Family, like.Fit);
        return new ClipModel(
            traits.Applied(architecture, "state dict"),
            expected.Select(key => new KeyValuePair<string, torch.Tensor>(
                key,
                tensors[key].detach().to_type(type ?? torch.float32, copy: true).DetachFromDisposeScope()
            ))
        );
    }

    /// <summary>A model with OpenAI's random initialisation, fixed by the seed.</summary>
    /// <param name="positions">The vision tower's positional embedding; <see cref="PositionInitialization.SinCos"/> when null.</param>
    public static ClipModel Initialize(ClipArchitecture architecture, long seed, PositionInitialization? positions = null)
    {
        var weights = ClipInitialization.Draw(architecture, seed, positions ?? new PositionInitialization.SinCos());
        return new ClipModel(
            architecture,
            weights.Select(w => new KeyValuePair<string, torch.Tensor>(w.Key, w.Value.DetachFromDisposeScope()))
        );
    }

    /// <summary>Image features, not normalised.</summary>
    /// <param name="images">Preprocessed images [batch, 3, R, R], in any precision and on any device.</param>
    /// <param name="hooks">What to capture, replace or scale in this call alone.</param>
    /// <param name="patches">Which patches to look at, int64 [batch, kept] from 0, in any order; null looks at all.</param>
    /// <returns>[batch, embed].</returns>
    public torch.Tensor EncodeImage(torch.Tensor images, Hooks? hooks = null, torch.Tensor? patches = null)
    {
        hooks?.Begin(Architecture);
        torch.Tensor features;
        using (torch.NewDisposeScope())
        {
            features = AsFeatures(
                _pooling is null
                    ? OfClassToken(images, hooks, patches)
                    : _pooling.Apply(Blocks(images, hooks, Architecture.VisionLayers, patches))
            );
            features = hooks?.Apply(new HookPoint.ImageEmbedding(), features) ?? features;
            features = features.MoveToOuterDisposeScope();
        }

        hooks?.End(features);
        return features;
    }

    /// <summary>Computes only as deep as the hooks reach; read the values from them.</summary>
    /// <param name="images">Preprocessed images [batch, 3, R, R].</param>
    public void Run(torch.Tensor images, Hooks hooks) =>
        hooks.RunShallow(Architecture, depth => Blocks(images, hooks, depth + 1), () => EncodeImage(images, hooks).Dispose());

    /// <summary>
    /// Puts c_fc and c_proj of every block into Geometric Parametrization, in place. Nothing happens if they are already.
    /// </summary>
    public void ToGeometric()
    {
        if (IsGeometric)
        {
            return;
        }

        foreach (var layer in ClipKeys.GeometricLayers(Architecture))
        {
            using var weight = _internal_params[layer + ClipKeys.Weight];
            var (radius, theta) = GeometricParametrization.Split(weight);
            _internal_params.Remove(layer + ClipKeys.Weight);
            register_parameter(layer + ClipKeys.Radius, new Parameter(radius.DetachFromDisposeScope()));
            register_parameter(layer + ClipKeys.Theta, new Parameter(theta.DetachFromDisposeScope()));
        }
    }

    /// <summary>
    /// The parameters by OpenAI's keys, detached but not copied; <c>.theta</c> and <c>.r</c> in Geometric Parametrization, both positional
    /// embeddings of a Long-CLIP.
    /// </summary>
    public IReadOnlyDictionary<string, torch.Tensor> StateDict() =>
        named_parameters().ToDictionary(p => p.name, p => p.parameter.detach(), StringComparer.Ordinal);

    /// <summary>
    /// The parameters by OpenAI's keys with plain <c>.weight</c> everywhere and one positional embedding: what any CLIP code loads.
    /// </summary>
    public IReadOnlyDictionary<string, torch.Tensor> PlainStateDict()
    {
        using var _ = torch.no_grad();
        return ClipKeys.Shapes(Architecture).ToDictionary(s => s.Key, s => Weight(s.Key).detach(), StringComparer.Ordinal);
    }

    /// <summary>Writes <see cref="StateDict"/> as safetensors, adapted weights as one.</summary>
    /// <exception cref="UserErrorException">The file cannot be written.</exception>
    public void Save(string path, IReadOnlyDictionary<string, string>? metadata = null)
    {
        using var scope = torch.NewDisposeScope();
        SafetensorsWriter.Write(path, MergedStateDict(), ModelTraits.Added(metadata, Architecture));
    }

    /// <summary>A parameter, or the weight that r and θ, or Long-CLIP's two positional embeddings, stand for.</summary>
    /// <param name="scale">A product with a number, done where it is cheapest: on r, one number a row, in place of the whole
    /// matrix.</param>
    internal torch.Tensor Weight(string key, Func<torch.Tensor, torch.Tensor>? scale = null)
    {
        scale ??= weight => weight;
        if (key == ClipKeys.Positions && HasLongPositions)
        {
            return scale(LongPositions.Join(_internal_params[key], _internal_params[ClipKeys.StretchedPositions]));
        }

        if (_internal_params.TryGetValue(key, out var parameter))
        {
            return scale(IsAdaptedWeight(key) ? parameter.Plus(Change(key, name => _internal_params[name])) : parameter);
        }

        var layer = key[..^ClipKeys.Weight.Length];
        return GeometricParametrization.Materialize(
            scale(_internal_params[layer + ClipKeys.Radius]),
            _internal_params[layer + ClipKeys.Theta]
        );
    }

    /// <summary>As <see cref="Weight"/>, but what a training makes of it once a step if there is one.</summary>
    private torch.Tensor WeightInUse(string key, Func<torch.Tensor, torch.Tensor>? scale = null)
    {
        if (Training?.Weights is not { } weights)
        {
            return Weight(key, scale);
        }

        if (IsAdaptedWeight(key))
        {
            var change = Change(key, name => weights.Weight(name, scale: null));
            return weights.Weight(key, scale).Plus(scale is null ? change : scale(change));
        }

        return key == ClipKeys.Positions && HasLongPositions
            ? LongPositions.Join(weights.Weight(key, scale: null), weights.Weight(ClipKeys.StretchedPositions, scale: null))
            : weights.Weight(key, scale);
    }

    /// <summary>Losses are in float32, whatever the towers of a training compute in.</summary>
    private torch.Tensor AsFeatures(torch.Tensor features) => Training?.Weights is null ? features : features.to(torch.float32);

    // Of the last block one token is asked for, unless a hook looks at it.
    private torch.Tensor OfClassToken(torch.Tensor images, Hooks? hooks, torch.Tensor? patches)
    {
        var last = Architecture.VisionLayers - 1;
        var cls =
            hooks?.TouchesLayer(last) == true
                ? Blocks(images, hooks, last + 1, patches).select(1, 0)
                : _vision.OneToken(last, WithNullToken(last, Blocks(images, hooks, last, patches)), asked: null);
        return Transformer.Norm(cls, ClipKeys.VisionNorm, WeightInUse, Architecture.Family.NormEpsilon).matmul(WeightInUse("visual.proj"));
    }

    /// <returns>The residual stream after the first <paramref name="count"/> blocks [batch, tokens, width].</returns>
    internal torch.Tensor Blocks(torch.Tensor images, Hooks? hooks, int count, torch.Tensor? patches = null)
    {
        var x = EmbedPatches(images.to(ComputeType).to(LogitScale.device), patches);
        if (Architecture.Family.HasClassToken)
        {
            x = Transformer.Norm(x, "visual.ln_pre", WeightInUse, Architecture.Family.NormEpsilon);
        }

        if (_nullBlock is not { } block || block >= count)
        {
            return Blocks(_vision, x, 0, count, causal: false, hooks);
        }

        x = WithNullToken(block, Blocks(_vision, x, 0, block, causal: false, hooks));
        return Blocks(_vision, x, block, count, causal: false, hooks);
    }

    /// <summary>The blocks from <paramref name="first"/> to below <paramref name="count"/>.</summary>
    private torch.Tensor Blocks(Transformer tower, torch.Tensor x, int first, int count, bool causal, Hooks? hooks)
    {
        if (Tape is not { } tape || !(tower.IsTrained || IsTowerAdapted(tower)))
        {
            for (var layer = first; layer < count; layer++)
            {
                x = tower.Block(layer, x, causal, hooks);
            }

            return x;
        }

        x = tape.Cut(x)[0];
        for (var layer = first; layer < count; layer++)
        {
            var at = layer;
            // What a hook looks at must keep its graph: it may have gradients of its own.
            x =
                hooks?.TouchesLayer(layer) == true
                    ? hooks.Cut(tape, layer, tower.Block(layer, x, causal, hooks))
                    : tape.Run(x, input => tower.Block(at, input, causal, hooks: null));
        }

        return x;
    }

    /// <returns>Class token, if there is one, and patches with their positions [batch, tokens, width].</returns>
    private torch.Tensor EmbedPatches(torch.Tensor images, torch.Tensor? kept)
    {
        var (batch, width) = (images.shape[0], Architecture.VisionWidth);
        var cut = Patches.Cut(images, Architecture);
        var all = cut.shape[1];
        if (kept is not null)
        {
            var first = TensorArithmetic.Range(batch * all, device: kept.device).view(batch, all).narrow(1, 0, 1);
            cut = cut.reshape(batch * all, -1).index_select(0, kept.Plus(first).reshape(-1)).view(batch, kept.shape[1], -1);
        }

        var weight = WeightInUse("visual.conv1.weight").view(width, -1);
        var embedded = Architecture.Family.HasClassToken
            ? LinearLayer.Apply(cut, weight)
            : LinearLayer.Apply(cut, weight, WeightInUse("visual.conv1.bias"));
        var positions = WeightInUse("visual.positional_embedding").to(embedded.dtype);
        var ofPatches = kept is null
            ? null
            : positions.narrow(0, Architecture.ClassTokens, all).index_select(0, kept.reshape(-1)).view(batch, kept.shape[1], width);
        if (!Architecture.Family.HasClassToken)
        {
            return embedded.Plus(ofPatches ?? positions);
        }

        var cls = WeightInUse("visual.class_embedding").to(embedded.dtype).expand(batch, 1, width);
        return ofPatches is null
            ? torch.cat([cls, embedded], 1).Plus(positions)
            : torch.cat([cls.Plus(positions.narrow(0, 0, 1)), embedded.Plus(ofPatches)], 1);
    }
}
