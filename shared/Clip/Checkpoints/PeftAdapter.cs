using ClipSae.Clip.Architecture;
using ClipSae.Tensors;

namespace ClipSae.Clip.Checkpoints;

/// <summary>
/// A LoRA as PEFT's <c>save_pretrained</c> keeps it, trained on transformers' CLIPModel or SiglipModel: <c>adapter_model.safetensors</c>
/// with A [rank, in] and B [out, rank] of each adapted layer, and <c>adapter_config.json</c>. The weight is then W + s·B·A with s =
/// alpha/rank, or alpha/√rank with <c>use_rslora</c> (peft 0.18, tuners/lora/layer.py).
/// </summary>
public sealed class PeftAdapter : IDisposable
{
    /// <summary>The file of the matrices.</summary>
    public const string WeightsName = "adapter_model.safetensors";

    /// <summary>The file that says how they are used.</summary>
    public const string ConfigurationName = "adapter_config.json";

    /// <summary>Before every key; the layer's name in the model follows.</summary>
    public const string Prefix = "base_model.model.";

    /// <summary>Behind the layer of an A.</summary>
    public const string EndOfA = ".lora_A.weight";

    /// <summary>Behind the layer of a B.</summary>
    public const string EndOfB = ".lora_B.weight";

    /// <summary>PEFT's own, where the configuration names none.</summary>
    private const double DefaultAlpha = 8;

    /// <summary>
    /// Ways to draw A and B that leave the base as it is; the others change it, and the adapter fits the changed one alone.
    /// </summary>
    private static readonly string[] PlainStarts = ["gaussian", "eva", "orthogonal"];

    private readonly SafetensorsFile _file;
    private readonly string _path;
    private readonly double _alpha;
    private readonly bool _isByRoot;

    private PeftAdapter(SafetensorsFile file, string path, double alpha, bool isByRoot) =>
        (_file, _path, _alpha, _isByRoot) = (file, path, alpha, isByRoot);

    /// <summary>Opens an adapter's folder, or the file of its matrices in it.</summary>
    /// <exception cref="UserErrorException">It cannot be read, or is of a kind that is not supported; names file and key.</exception>
    public static PeftAdapter Open(string path)
    {
        var folder = Directory.Exists(path) ? path : Path.GetDirectoryName(Path.GetFullPath(path))!;
        var configuration = DescribedPart.Read(folder, ConfigurationName)
            ?? throw new UserErrorException(
                $"{path}: there is no {ConfigurationName}, so this is not an adapter in PEFT's format; "
                    + "name the folder that save_pretrained wrote"
            );
        configuration.Only("peft_type", "LORA");
        configuration.Off("use_dora", "the magnitudes of DoRA are not supported");
        foreach (var key in new[] { "lora_bias", "use_qalora" })
        {
            configuration.Off(key, "only plain LoRA is supported");
        }

        foreach (
            var key in new[]
            {
                "alpha_pattern",
                "layer_replication",
                "kasa_config",
                "velora_config",
                "use_bdlora",
                "arrow_config",
                "monteclora_config",
                "alora_invocation_tokens",
            }
        )
        {
            configuration.Empty(key, "only plain LoRA with one alpha is supported");
        }

        if (configuration.Text("init_lora_weights") is { } start && !PlainStarts.Contains(start, StringComparer.Ordinal))
        {
            throw new UserErrorException(
                $"{configuration.Path}: init_lora_weights is {start}, which changes the base's weights too: "
                    + "convert the adapter with PEFT (save_pretrained with path_initial_model_for_weight_conversion), or merge it there"
            );
        }

        var file = Path.Combine(folder, WeightsName);
        if (!File.Exists(file))
        {
            throw new UserErrorException(
                $"{folder}: contains no {WeightsName}"
                    + (
                        File.Exists(Path.Combine(folder, "adapter_model.bin"))
                            ? "; an adapter_model.bin is a pickle: save the adapter again with safe_serialization=True"
                            : ""
                    )
            );
        }

        var alpha = configuration.Number("lora_alpha") ?? DefaultAlpha;
        return double.IsFinite(alpha)
            ? new PeftAdapter(SafetensorsFile.Open(file), file, alpha, configuration.IsOn("use_rslora"))
            : throw new UserErrorException($"{configuration.Path}: lora_alpha is not a number");
    }

    public void Dispose() => _file.Dispose();

    /// <summary>Puts the adapted weights in the place of a model's.</summary>
    /// <param name="parts">The model's weights by OpenAI's keys.</param>
    /// <param name="source">What to call the model in errors.</param>
    /// <exception cref="UserErrorException">A layer is not one of the model, has other sizes, or a tensor is none of a LoRA; names the
    /// key.</exception>
    internal void ApplyTo(Dictionary<string, WeightPart> parts, string source)
    {
        foreach (
            var layer in _file.Entries.Keys.GroupBy(LayerOf, StringComparer.Ordinal).OrderBy(layer => layer.Key, StringComparer.Ordinal)
        )
        {
            var openAi = HuggingFaceKeys.ToOpenAi(layer.Key + ClipKeys.Weight)
                ?? throw new UserErrorException(
                    $"{_path}: key '{layer.First()}' adapts no layer of transformers' CLIPModel or SiglipModel; "
                        + "only adapters trained on these are supported"
                );
            if (!parts.TryGetValue(openAi, out var part))
            {
                throw new UserErrorException(
                    parts.ContainsKey(LowRankAdapter.LayerOfWeight(openAi) + ClipKeys.Theta)
                        ? $"{source}: is in Geometric Parametrization, which an adapter cannot change: convert it to plain weights first"
                        : $"{source}: has no layer for key '{layer.First()}' of {_path}; the adapter was trained on another model"
                );
            }

            parts[openAi] = Adapted(part, layer.Key, openAi);
        }
    }

    private WeightPart.Adapted Adapted(WeightPart part, string layer, string openAi)
    {
        var (a, b) = (Matrix(Prefix + layer + EndOfA), Matrix(Prefix + layer + EndOfB));
        var place = openAi.EndsWith("in_proj_weight", StringComparison.Ordinal)
            ? Array.FindIndex([.. HuggingFaceKeys.Attention], name => layer.EndsWith(name, StringComparison.Ordinal))
            : -1;
        UserErrorException.ThrowIf(
            part.Shape.Count != 2,
            $"{_path}: layer '{layer}' is not a linear layer of the model; the adapter was trained on another model"
        );

        var (rows, columns) = (part.Shape[0], part.Shape[1]);
        rows /= place < 0 ? 1 : HuggingFaceKeys.Attention.Count;
        var isTransposed = HuggingFaceKeys.IsTransposed(openAi);
        var (wantedOut, wantedIn) = isTransposed ? (columns, rows) : (rows, columns);
        UserErrorException.ThrowIf(
            a.Shape[0] != b.Shape[1] || a.Shape[1] != wantedIn || b.Shape[0] != wantedOut,
            $"{_path}: layer '{layer}' has A {a} and B {b}, but the model's weight there is [{wantedOut}, {wantedIn}]; "
                + $"the adapter was trained on another model"
        );

        var scale = _alpha / (_isByRoot ? Math.Sqrt(a.Shape[0]) : a.Shape[0]);
        return new WeightPart.Adapted(part, _file, a.Name, b.Name, scale, Math.Max(place, 0) * rows, isTransposed);
    }

    private TensorEntry Matrix(string key) =>
        !_file.Entries.TryGetValue(key, out var entry)
            ? throw new UserErrorException($"{_path}: key '{key}' is missing; the adapter is incomplete")
        : entry.Shape.Count == 2 && entry.Dtype is "F16" or "BF16" or "F32" or "F64" ? entry
        : throw new UserErrorException($"{_path}: key '{key}' is {entry}; only matrices of linear layers are supported");

    private string LayerOf(string key) =>
        key.StartsWith(Prefix, StringComparison.Ordinal)
        && new[] { EndOfA, EndOfB }.FirstOrDefault(ending => key.EndsWith(ending, StringComparison.Ordinal)) is { } found
            ? key[Prefix.Length..^found.Length]
            : throw new UserErrorException(
                $"{_path}: key '{key}' is not of a plain LoRA (…{EndOfA}, …{EndOfB}); other trained parts are not supported: "
                    + "merge the adapter with PEFT (merge_and_unload)"
            );
}
