using System.Globalization;
using ClipSae.Clip.Architecture;
using ClipSae.Clip.Checkpoints;
using ClipSae.Clip.Tokenizers;
using ClipSae.Tensors;
using TorchSharp;

namespace ClipSae.WeightConversion.Weights;

/// <summary>What the formats are written from.</summary>
/// <param name="Weights">The source's weights.</param>
/// <param name="Dtype">Precision to write in.</param>
/// <param name="Tokenizer">The model's tokenizer, where it is known; formats that carry it cannot do without.</param>
/// <param name="Written">Called after each tensor.</param>
/// <param name="Cancel">Stops between two tensors.</param>
public sealed record ConversionMaterial(
    PlainWeights Weights,
    Precision Dtype,
    ClipTokenizer? Tokenizer,
    Action? Written = null,
    CancellationToken Cancel = default
)
{
    private static readonly string[] NarrowEndings =
    [
        "visual.conv1.weight",
        "visual.proj",
        "text_projection",
        ".attn.in_proj_weight",
        ".attn.in_proj_bias",
        ".attn.out_proj.weight",
        ".attn.out_proj.bias",
        ".mlp.c_fc.weight",
        ".mlp.c_fc.bias",
        ".mlp.c_proj.weight",
        ".mlp.c_proj.bias",
    ];

    /// <summary>Weights of the checkpoint that the source was tuned from, where a format needs them.</summary>
    public PlainWeights? Base { get; init; }

    /// <summary>The adapter that was trained on <see cref="Base"/>, where a format needs it.</summary>
    public LowRankAdapter? Form { get; init; }

    public ClipArchitecture Architecture => Weights.Architecture;

    /// <summary>Element type that a weight is written in.</summary>
    /// <param name="key">OpenAI's key.</param>
    public torch.ScalarType TypeOf(string key) =>
        NarrowEndings.Any(ending => key.EndsWith(ending, StringComparison.Ordinal)) ? Dtype.Type() : torch.ScalarType.Float32;

    /// <summary>A plain weight in its type.</summary>
    /// <exception cref="UserErrorException">A value does not fit the type.</exception>
    public torch.Tensor Make(string key)
    {
        using var scope = torch.NewDisposeScope();
        var weight = Weights.Read(key);
        return Narrowed(weight, key, TypeOf(key)).MoveToOuterDisposeScope();
    }

    /// <summary>A weight in another type.</summary>
    /// <param name="key">What to call it in errors.</param>
    /// <exception cref="UserErrorException">A value does not fit the type.</exception>
    internal static torch.Tensor Narrowed(torch.Tensor weight, string key, torch.ScalarType type)
    {
        var narrow = weight.to(type);
        var beyond = new NonFiniteValues();
        beyond.Count(key, narrow.contiguous());
        return beyond.Counts.Count == 0
            ? narrow
            : throw new UserErrorException(
                type switch
                {
                    torch.ScalarType.Float16 => string.Create(
                        CultureInfo.InvariantCulture,
                        $"key '{key}' has values up to {Largest():0.0e+0}, and float16 ends at 65,504: "
                            + $"convert with --dtype bfloat16 or float32"
                    ),
                    torch.ScalarType.BFloat16 => FormattableString.Invariant(
                        $"key '{key}' has values up to {Largest():0.0e+0}, where bfloat16 ends: convert with --dtype float32"
                    ),
                    _ => $"key '{key}' has {beyond.Counts[key]} values that are not numbers, as a row of zeros in theta causes; "
                        + "use an earlier checkpoint",
                }
            );

        double Largest() => weight.abs().max().to(torch.float64).item<double>();
    }

    /// <summary>Every plain weight under OpenAI's key.</summary>
    internal IEnumerable<WrittenTensor> OpenAi() =>
        Weights.Shapes.Select(weight => new WrittenTensor(new TensorLayout(weight.Key, TypeOf(weight.Key), weight.Value), () =>
            Make(weight.Key)
        ));

    /// <summary>
    /// Every plain weight under the keys of <c>transformers</c>: attention in three, projections transposed (science, section 7).
    /// </summary>
    internal IEnumerable<WrittenTensor> HuggingFace() =>
        Weights.Shapes.SelectMany(weight =>
        {
            var (key, shape) = weight;
            var names = HuggingFaceKeys.FromOpenAi(key);
            if (HuggingFaceKeys.IsTransposed(key))
            {
                return
                [
                    new WrittenTensor(new TensorLayout(names[0], TypeOf(key), [shape[1], shape[0]]), () =>
                        Changed(key, tensor => tensor.t())
                    ),
                ];
            }

            // SiglipModel keeps scale and bias as lists of one number.
            if (shape.Length == 0 && Architecture.Family == ClipFamily.SigLip)
            {
                return [new WrittenTensor(new TensorLayout(names[0], TypeOf(key), [1]), () => Changed(key, tensor => tensor.view(1)))];
            }

            return names.Count == 1
                ? new[] { new WrittenTensor(new TensorLayout(names[0], TypeOf(key), shape), () => Make(key)) }
                : names.Select(
                    (name, place) =>
                        new WrittenTensor(new TensorLayout(name, TypeOf(key), [shape[0] / names.Count, .. shape.Skip(1)]), () =>
                            Changed(key, tensor => tensor.narrow(0, place * shape[0] / names.Count, shape[0] / names.Count))
                        )
                );
        });

    private torch.Tensor Changed(string key, Func<torch.Tensor, torch.Tensor> change)
    {
        using var scope = torch.NewDisposeScope();
        return change(Make(key)).contiguous().MoveToOuterDisposeScope();
    }
}
