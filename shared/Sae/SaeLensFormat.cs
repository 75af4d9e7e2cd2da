using System.Text.Json.Nodes;
using ClipSae.Contracts;
using ClipSae.Tensors;
using static TorchSharp.torch;

namespace ClipSae.Sae;

/// <summary>
/// The folder layout of SAELens 6: <c>sae_weights.safetensors</c> (W_enc [d_in, d_sae], W_dec [d_sae, d_in], b_enc, b_dec, and <c>threshold</c>
/// for BatchTopK, which SAELens runs as JumpReLU) and <c>cfg.json</c>. Scale and centring are folded into the weights, so
/// <c>normalize_activations</c> is "none"; the scale is kept in the metadata.
/// </summary>
public static class SaeLensFormat
{
    public const string WeightsFile = "sae_weights.safetensors";
    public const string ConfigFile = "cfg.json";

    /// <summary>Version whose layout is written; SAELens reads it to tell layouts apart.</summary>
    private const string LayoutVersion = "6.0.0";

    /// <summary>Writes both files into a folder.</summary>
    /// <param name="modelName">What the activations are of, for example the checkpoint's name.</param>
    /// <param name="hookName">Where in the model, for example <c>mlp@0</c>.</param>
    public static void Save(SparseAutoencoder sae, string folder, string modelName, string hookName)
    {
        using var guard = no_grad();
        using var scope = NewDisposeScope();
        var weights = new Dictionary<string, Tensor>
        {
            ["W_enc"] = sae.EncoderRows.cpu().t().contiguous(),
            ["W_dec"] = sae.DecoderRows.cpu(),
            ["b_enc"] = sae.EncoderBias.cpu(),
            ["b_dec"] = sae.DecoderBias.cpu(),
        };
        if (sae.Threshold is not null)
        {
            weights["threshold"] = sae.Threshold.cpu();
        }

        SafetensorsWriter.Write(Path.Combine(folder, WeightsFile), weights);
        File.WriteAllText(Path.Combine(folder, ConfigFile), Config(sae, modelName, hookName).ToJsonString());
    }

    /// <summary>Reads a folder written by <see cref="Save"/> or by SAELens; an autoencoder that SAELens normalises at run time is refused.</summary>
    /// <exception cref="UserErrorException">A file or key is missing, or the architecture is none of topk and jumprelu.</exception>
    public static SparseAutoencoder Load(string folder)
    {
        using var guard = no_grad();
        using var scope = NewDisposeScope();
        var (config, path) = ReadConfig(folder);
        using var file = SafetensorsFile.Open(Path.Combine(folder, WeightsFile));
        var normalization = (string?)config["normalize_activations"] ?? "none";
        if (normalization != "none")
        {
            throw new UserErrorException($"{path}: normalize_activations is '{normalization}'; fold it into the weights in SAELens first (fold_activation_norm_scaling_factor)");
        }

        var k = (int?)config["k"] ?? (int?)config["metadata"]?["k"] ?? 1;
        var architecture = (string?)config["architecture"];
        SaeVariant variant = architecture switch
        {
            "topk" => new SaeVariant.TopK(k),
            "jumprelu" => new SaeVariant.BatchTopK(k),
            _ => throw new UserErrorException($"{path}: architecture '{architecture}' is not known here; topk and jumprelu are"),
        };
        var encoderBias = file.Read("b_enc");
        var decoderBias = file.Read("b_dec");
        var encoder = file.Read("W_enc").t().contiguous();
        if ((bool?)config["apply_b_dec_to_input"] == false)
        {
            // Here b_dec is always subtracted from the input; what that takes away is given back through b_enc.
            encoderBias = encoderBias.Plus(encoder.matmul(decoderBias));
        }

        var scale = (double?)config["metadata"]?["input_scale"] ?? 1;
        return new SparseAutoencoder(
            variant, encoder, file.Read("W_dec"), encoderBias, decoderBias, scale, variant is SaeVariant.BatchTopK ? file.Read("threshold") : null);
    }

    private static JsonObject Config(SparseAutoencoder sae, string modelName, string hookName)
    {
        var config = new JsonObject
        {
            ["architecture"] = sae.Threshold is null ? "topk" : "jumprelu",
            ["d_in"] = sae.InputWidth,
            ["d_sae"] = sae.Latents,
            ["dtype"] = "float32",
            ["device"] = "cpu",
            ["apply_b_dec_to_input"] = true,
            ["normalize_activations"] = "none",
            ["reshape_activations"] = "none",
        };
        if (sae.Threshold is null)
        {
            config["k"] = sae.Variant.K;
            config["rescale_acts_by_decoder_norm"] = false;
        }

        config["metadata"] = new JsonObject
        {
            ["sae_lens_version"] = LayoutVersion,
            ["model_name"] = modelName,
            ["hook_name"] = hookName,
            ["trained_by"] = "clipsae",
            ["variant"] = sae.Variant.Name,
            ["k"] = sae.Variant.K,
            ["input_scale"] = sae.InputScale,
        };
        return config;
    }

    private static (JsonNode Config, string Path) ReadConfig(string folder)
    {
        var path = Path.Combine(folder, ConfigFile);
        try
        {
            return (JsonNode.Parse(File.ReadAllText(path)) ?? throw new UserErrorException($"{path}: is empty"), path);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or System.Text.Json.JsonException)
        {
            throw new UserErrorException($"{path}: cannot be read: {failure.Message}", failure);
        }
    }
}
