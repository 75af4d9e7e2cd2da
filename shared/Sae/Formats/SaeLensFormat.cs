using System.Text.Json.Nodes;
using ClipSae.Sae.Encoding;
using ClipSae.Tensors;
using static TorchSharp.torch;

namespace ClipSae.Sae.Formats;

/// <summary>
/// The folder layout of SAELens 6: <c>sae_weights.safetensors</c> (W_enc [d_in, d_sae], W_dec [d_sae, d_in], b_enc, b_dec, and
/// <c>threshold</c> for BatchTopK, which SAELens runs as JumpReLU) and <c>cfg.json</c>. Scale and centring are folded into the weights, so
/// <c>normalize_activations</c> is "none"; the scale is kept in the metadata.
/// </summary>
public static class SaeLensFormat
{
    public const string WeightsFile = "sae_weights.safetensors";
    public const string ConfigFile = "cfg.json";

    /// <summary>Version whose layout is written; SAELens reads it to distinguish layouts.</summary>
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

    /// <summary>
    /// Reads a folder written by <see cref="Save"/> or by SAELens 3 to 6: standard (ReLU or Top-K), topk, jumprelu, gated, and what
    /// BatchTopK and Matryoshka are saved as. An autoencoder that SAELens normalises at run time is refused.
    /// </summary>
    /// <exception cref="UserErrorException">A file or key is missing, or the architecture is another; names file and key.</exception>
    public static SparseAutoencoder Load(string folder)
    {
        using var guard = no_grad();
        using var scope = NewDisposeScope();
        var config = AutoencoderConfig.Read(Path.Combine(folder, ConfigFile));
        RequirePlain(config);
        var path = Path.Combine(folder, WeightsFile);
        using var file = SafetensorsFile.Open(path);
        var parts = new AutoencoderParts(file, path);

        // Not there in version 3: true was the only way.
        var isCentred = config.Flag("apply_b_dec_to_input") ?? true;
        var encoder = parts.Read("W_enc").t();
        var decoder = parts.Read("W_dec");
        if (config.Flag("finetuning_scaling_factor") == true || config.Text("finetuning_scaling_factor") is not null)
        {
            decoder = decoder * parts.Read("scaling_factor").unsqueeze(1);
        }

        var metadata = config.Part("metadata");
        SparseAutoencoder Build(SaeVariant variant, Tensor? threshold, bool isRescaled) =>
            parts.Build(
                variant,
                encoder,
                parts.Read("b_enc"),
                decoder,
                parts.Read("b_dec"),
                threshold,
                isCentred,
                isRescaled,
                metadata.Number("input_scale") ?? 1
            );
        var latents = encoder.shape[0];
        return (
            config.Text("architecture") ?? "standard",
            config.Text("activation_fn") ?? config.Text("activation_fn_str") ?? "relu"
        ) switch
        {
            ("topk", _) => Build(
                new SaeVariant.TopK(
                    config.ActiveLatents("k") ?? config.Part("activation_fn_kwargs").ActiveLatents("k") ?? throw NoK(config)
                ),
                null,
                config.Flag("rescale_acts_by_decoder_norm") ?? false
            ),
            ("standard", "topk") => Build(
                new SaeVariant.TopK(config.Part("activation_fn_kwargs").ActiveLatents("k") ?? throw NoK(config)),
                null,
                isRescaled: false
            ),
            ("standard", "relu") => Build(new SaeVariant.JumpRelu((int)latents), zeros(latents), isRescaled: true),
            ("jumprelu", _) => Build(
                metadata.ActiveLatents("k") is { } k ? new SaeVariant.BatchTopK(k) : new SaeVariant.JumpRelu((int)latents),
                parts.Threshold("threshold", latents),
                isRescaled: true
            ),
            ("gated", _) => parts.BuildGated(
                encoder,
                parts.Read("r_mag"),
                parts.Read("b_gate"),
                parts.Read("b_mag"),
                decoder,
                parts.Read("b_dec"),
                isCentred
            ),
            var (architecture, activation) => throw new UserErrorException(
                $"{config.Path}: architecture '{architecture}' with activation '{activation}' is not supported; "
                    + "standard, topk, jumprelu and gated are"
            ),
        };
    }

    private static UserErrorException NoK(AutoencoderConfig config) => new($"{config.Path}: 'k' is missing");

    private static void RequirePlain(AutoencoderConfig config)
    {
        if (config.Text("normalize_activations") is { } normalization && normalization != "none")
        {
            throw new UserErrorException(
                $"{config.Path}: normalize_activations is '{normalization}'; "
                    + "fold it into the weights in SAELens first (fold_activation_norm_scaling_factor)"
            );
        }

        if (config.Text("reshape_activations") is { } shape && shape != "none")
        {
            throw new UserErrorException(
                $"{config.Path}: reshape_activations is '{shape}'; only autoencoders of whole activations are supported"
            );
        }

        UserErrorException.ThrowIf(
            config.Root["d_out"] is not null,
            $"{config.Path}: describes a transcoder ('d_out'), which rebuilds other activations than it reads; "
                + $"only autoencoders are supported"
        );
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
}
