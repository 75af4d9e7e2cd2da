using ClipSae.Clip.Architecture;
using ClipSae.Tensors;
using ClipSae.Tensors.Onnx;
using ClipSae.WeightConversion.Weights;
using TorchSharp;

namespace ClipSae.WeightConversion.Targets;

/// <summary>
/// CLIP's two encoders as ONNX graphs (science, section 1), with raw and normalised features as outputs. Weights are float32.
/// </summary>
internal sealed class ClipGraph
{
    private const float LayerNormEpsilon = 1e-5f;
    private const float QuickGeluSlope = 1.702f;

    private readonly OnnxGraph _graph = new();
    private readonly PlainWeights _weights;
    private readonly Dictionary<string, long[]> _shapes;

    private ClipGraph(PlainWeights weights)
    {
        _weights = weights;
        _shapes = weights.Shapes.ToDictionary(weight => weight.Key, weight => weight.Value, StringComparer.Ordinal);
    }

    private ClipArchitecture Architecture => _weights.Architecture;

    /// <summary><c>pixel_values</c> [batch, 3, R, R] to <c>image_features</c> and <c>image_embeds</c> [batch, embed].</summary>
    public static OnnxGraph Image(PlainWeights weights)
    {
        var builder = new ClipGraph(weights);
        var (a, graph) = (weights.Architecture, builder._graph);
        var pixels = graph.Input("pixel_values", torch.ScalarType.Float32, 3, a.ImageResolution, a.ImageResolution);
        long patch = a.PatchSize,
            width = a.VisionWidth;
        var patches = graph.Node(
            "Conv",
            [pixels, builder.Plain("visual.conv1.weight")],
            null,
            ("kernel_shape", new[] { patch, patch }),
            ("strides", new[] { patch, patch })
        );
        var rows = graph.Node("Reshape", [patches, graph.Numbers(0, width, -1)]);
        var tokens = graph.Node("Transpose", [rows], null, ("perm", new long[] { 0, 2, 1 }));
        var batch = graph.Node("Slice", [graph.Node("Shape", [pixels]), graph.Numbers(0), graph.Numbers(1)]);
        var classShape = graph.Node("Concat", [batch, graph.Numbers(1, width)], null, ("axis", 0L));
        var cls = graph.Node("Expand", [builder.Plain("visual.class_embedding"), classShape]);
        var x = graph.Node("Concat", [cls, tokens], null, ("axis", 1L));
        x = builder.Norm(graph.Node("Add", [x, builder.Plain("visual.positional_embedding")]), "visual.ln_pre");
        for (var layer = 0; layer < a.VisionLayers; layer++)
        {
            x = builder.Block(x, ClipKeys.VisionBlocks + layer, a.VisionWidth, a.VisionHeads, mask: null);
        }

        var first = graph.Node(
            "Squeeze",
            [graph.Node("Slice", [x, graph.Numbers(0), graph.Numbers(1), graph.Numbers(1)]), graph.Numbers(1)]
        );
        builder.End(builder.Norm(first, "visual.ln_post"), "visual.proj", "image");
        return graph;
    }

    /// <summary>
    /// <c>input_ids</c> [batch, context] int64, zero-padded, to <c>text_features</c> and <c>text_embeds</c> [batch, embed].
    /// </summary>
    public static OnnxGraph Text(PlainWeights weights)
    {
        var builder = new ClipGraph(weights);
        var (a, graph) = (weights.Architecture, builder._graph);
        var ids = graph.Input("input_ids", torch.ScalarType.Int64, a.ContextLength);
        var x = graph.Node(
            "Add",
            [graph.Node("Gather", [builder.Plain("token_embedding.weight"), ids]), builder.Plain("positional_embedding")]
        );
        var mask = graph.Weight(new TensorLayout("causal_mask", torch.ScalarType.Float32, [a.ContextLength, a.ContextLength]), () =>
            TensorArithmetic.Constant([a.ContextLength, a.ContextLength], float.NegativeInfinity).triu(1)
        );
        for (var layer = 0; layer < a.TextLayers; layer++)
        {
            x = builder.Block(x, ClipKeys.TextBlocks + layer, a.TextWidth, a.TextHeads, mask);
        }

        // The end of the text is the largest id, or the first that is MetaCLIP 2's; ArgMax knows 32 bits everywhere.
        var marks =
            a.Family == ClipFamily.MetaClip2 ? graph.Node("Equal", [ids, graph.Numbers(a.Family.MarksOf(a.VocabularySize).End)]) : ids;
        var narrow = graph.Node("Cast", [marks], null, ("to", 6L));
        var ends = graph.Node("ArgMax", [narrow], null, ("axis", 1L), ("keepdims", 1L));
        var last = graph.Node("GatherND", [x, ends], null, ("batch_dims", 1L));
        builder.End(builder.Norm(last, "ln_final"), "text_projection", "text");
        return graph;
    }

    private void End(string x, string projection, string name)
    {
        var features = _graph.Node("MatMul", [x, Plain(projection)], name + "_features");
        var embeds = _graph.Node("LpNormalization", [features], name + "_embeds", ("axis", -1L), ("p", 2L));
        _graph.Output(features, torch.ScalarType.Float32, Architecture.EmbedDim);
        _graph.Output(embeds, torch.ScalarType.Float32, Architecture.EmbedDim);
    }

    private string Block(string x, string block, long width, long heads, string? mask)
    {
        x = _graph.Node("Add", [x, Attention(Norm(x, block + ".ln_1"), block, width, heads, mask)]);
        var hidden = Linear(Norm(x, block + ".ln_2"), block + ".mlp.c_fc.weight", block + ".mlp.c_fc.bias");
        return _graph.Node("Add", [x, Linear(Activation(hidden), block + ".mlp.c_proj.weight", block + ".mlp.c_proj.bias")]);
    }

    private string Activation(string x)
    {
        string Times(string value, string name, float factor) => _graph.Node("Mul", [value, Scalar(name, factor)]);
        string Half(string gate) => _graph.Node("Mul", [x, Times(_graph.Node("Add", [gate, Scalar("one", 1)]), "half", 0.5f)]);
        if (Architecture.Activation == MlpActivation.QuickGelu)
        {
            return _graph.Node("Mul", [x, _graph.Node("Sigmoid", [Times(x, "quick_gelu_slope", QuickGeluSlope)])]);
        }

        if (Architecture.Activation == MlpActivation.Gelu)
        {
            return Half(_graph.Node("Erf", [Times(x, "gelu_slope", (float)Math.Sqrt(0.5))]));
        }

        var cube = _graph.Node("Mul", [x, _graph.Node("Mul", [x, x])]);
        return Half(
            _graph.Node(
                "Tanh",
                [Times(_graph.Node("Add", [x, Times(cube, "gelu_cube", 0.044715f)]), "gelu_tanh_slope", (float)Math.Sqrt(2 / Math.PI))]
            )
        );
    }

    private string Attention(string x, string block, long width, long heads, string? mask)
    {
        var fused = Linear(x, block + ".attn.in_proj_weight", block + ".attn.in_proj_bias");
        var parts = _graph.Node("Split", [fused, _graph.Numbers(width, width, width)], 3, ("axis", -1L));
        string Heads(string part, params long[] order) =>
            _graph.Node("Transpose", [_graph.Node("Reshape", [part, _graph.Numbers(0, 0, heads, width / heads)])], null, ("perm", order));
        var scores = _graph.Node("MatMul", [Heads(parts[0], 0, 2, 1, 3), Heads(parts[1], 0, 2, 3, 1)]);
        scores = _graph.Node("Mul", [scores, Scalar($"attention_scale_{width / heads}", (float)(1 / Math.Sqrt((double)width / heads)))]);
        scores = mask is null ? scores : _graph.Node("Add", [scores, mask]);
        var mixed = _graph.Node("MatMul", [_graph.Node("Softmax", [scores], null, ("axis", -1L)), Heads(parts[2], 0, 2, 1, 3)]);
        var joined = _graph.Node(
            "Reshape",
            [_graph.Node("Transpose", [mixed], null, ("perm", new long[] { 0, 2, 1, 3 })), _graph.Numbers(0, 0, width)]
        );
        return Linear(joined, block + ".attn.out_proj.weight", block + ".attn.out_proj.bias");
    }

    // PyTorch keeps [out, in]; ONNX multiplies by [in, out].
    private string Linear(string x, string weight, string bias)
    {
        var (rows, columns) = (_shapes[weight][0], _shapes[weight][1]);
        var turned = _graph.Weight(new TensorLayout(weight + ".T", torch.ScalarType.Float32, [columns, rows]), () =>
            _weights.Read(weight).t().contiguous()
        );
        return _graph.Node("Add", [_graph.Node("MatMul", [x, turned]), Plain(bias)]);
    }

    private string Norm(string x, string name) =>
        _graph.Node(
            "LayerNormalization",
            [x, Plain(name + ".weight"), Plain(name + ".bias")],
            null,
            ("axis", -1L),
            ("epsilon", LayerNormEpsilon)
        );

    private string Plain(string key) =>
        _graph.Weight(new TensorLayout(key, torch.ScalarType.Float32, _shapes[key]), () => _weights.Read(key));

    private string Scalar(string name, float value) =>
        _graph.Weight(new TensorLayout(name, torch.ScalarType.Float32, []), () => torch.tensor(value));
}
