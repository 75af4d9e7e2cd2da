using ClipSae.Tensors;
using TorchSharp;

namespace ClipSae.WeightConversion;

/// <summary>A format that people load. Each target says how the plain weights are named, shaped and rounded in it.</summary>
public abstract record ConversionTarget
{
    private ConversionTarget()
    {
    }

    /// <summary>Name of the output and of the file.</summary>
    public abstract string FileName { get; }

    /// <summary>What the file's header says beside the tensors.</summary>
    public abstract IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>The tensors of the file for the plain weights of a model.</summary>
    /// <param name="plain">Key and shape of every plain weight, under OpenAI's keys.</param>
    public abstract IEnumerable<TensorLayout> Layouts(IEnumerable<KeyValuePair<string, long[]>> plain);

    /// <summary>The target that the options name.</summary>
    public static ConversionTarget From(ConversionOptions options) => new OpenAi(options.Dtype);

    /// <summary>OpenAI's state dict as safetensors: OpenAI's keys, plain <c>.weight</c> everywhere.</summary>
    public sealed record OpenAi(ConversionDtype Dtype) : ConversionTarget
    {
        private static readonly string[] HalfEndings =
        [
            "visual.conv1.weight", "visual.proj", "text_projection", ".attn.in_proj_weight", ".attn.in_proj_bias", ".attn.out_proj.weight",
            ".attn.out_proj.bias", ".mlp.c_fc.weight", ".mlp.c_fc.bias", ".mlp.c_proj.weight", ".mlp.c_proj.bias",
        ];

        public override string FileName => Dtype == ConversionDtype.Float32 ? "model.safetensors" : "model.fp16.safetensors";

        public override IReadOnlyDictionary<string, string> Metadata { get; } =
            new Dictionary<string, string> { ["format"] = "pt", ["keys"] = "openai" };

        public override IEnumerable<TensorLayout> Layouts(IEnumerable<KeyValuePair<string, long[]>> plain) =>
            plain.Select(weight => new TensorLayout(weight.Key, TypeOf(weight.Key), weight.Value));

        private torch.ScalarType TypeOf(string key) =>
            Dtype == ConversionDtype.Float16 && HalfEndings.Any(ending => key.EndsWith(ending, StringComparison.Ordinal))
                ? torch.ScalarType.Float16
                : torch.ScalarType.Float32;
    }
}
