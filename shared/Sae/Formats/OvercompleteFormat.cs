using ClipSae.Sae.Encoding;
using ClipSae.Tensors;
using static TorchSharp.torch;

namespace ClipSae.Sae.Formats;

/// <summary>
/// Autoencoders of <c>overcomplete</c>, saved whole (<c>torch.save(model)</c>), or a <c>JumpSAE</c> as a state dict: SAE, TopKSAE and
/// JumpSAE with a linear or a tied encoder, with or without batch normalisation. Nothing of the file is executed.
/// </summary>
internal static class OvercompleteFormat
{
    private const string Dictionary = "dictionary._weights";
    private const string Linear = "encoder.final_block.0.";
    private const string Norm = "encoder.final_block.1.";

    /// <summary>What PyTorch's BatchNorm1d adds to the variance.</summary>
    private const double Epsilon = 1e-5;

    /// <summary>Whether a file's keys are those of its classes.</summary>
    public static bool IsOne(ITensorFile file) => file.Entries.ContainsKey(Dictionary);

    /// <param name="path">The module or state dict.</param>
    /// <exception cref="Contracts.UserErrorException">The class or its encoder is another; names it.</exception>
    public static SparseAutoencoder Load(ITensorFile file, string path)
    {
        var parts = new AutoencoderParts(file, path);
        var whole = file.Modules.FirstOrDefault(module => module.Path.Length == 0);
        var kind = whole?.Class
            ?? (
                parts.Has("thresholds")
                    ? "JumpSAE"
                    : throw parts.Refused(
                        "is a state dict of overcomplete, which does not say its class and its k; "
                            + "save the whole module (torch.save(model, file)) and use that file"
                    )
            );
        var dictionary = parts.Read(Dictionary) * parts.Read("dictionary.multiplier").exp();
        var (encoder, bias) = Encoder(parts, dictionary);
        var latents = encoder.shape[0];
        return kind switch
        {
            "TopKSAE" when whole!.Attributes.GetValueOrDefault("top_k") is long k and > 0 and <= int.MaxValue => parts.Build(
                new SaeVariant.TopK((int)k),
                encoder,
                bias,
                dictionary,
                decoderBias: null,
                threshold: null,
                isCentred: true,
                isRescaled: false
            ),
            "JumpSAE" => parts.Build(
                new SaeVariant.JumpRelu((int)latents),
                encoder,
                bias,
                dictionary,
                null,
                parts.Read("thresholds").exp(),
                isCentred: true,
                isRescaled: true
            ),
            "SAE" => parts.Build(
                new SaeVariant.JumpRelu((int)latents),
                encoder,
                bias,
                dictionary,
                null,
                zeros(latents),
                isCentred: true,
                isRescaled: true
            ),
            _ => throw parts.Refused($"is a {kind} of overcomplete; SAE, TopKSAE and JumpSAE are supported"),
        };
    }

    private static (Tensor Encoder, Tensor? Bias) Encoder(AutoencoderParts parts, Tensor dictionary)
    {
        if (!parts.Has(Linear + "weight"))
        {
            // Tied, or of one matrix.
            return (
                parts.Has("encoder.weight") ? parts.Read("encoder.weight") : dictionary,
                parts.Has("encoder.bias") ? parts.Read("encoder.bias") : null
            );
        }

        if (
            parts.Has("encoder.mlp_blocks.0.0.weight")
            || parts.Has("encoder.attention_blocks.0.norm1.weight")
            || parts.Has("encoder.resnet_blocks.0.conv1.weight")
        )
        {
            throw parts.Refused("its encoder has hidden layers; only a linear encoder is supported");
        }

        var (encoder, bias) = (parts.Read(Linear + "weight"), parts.Read(Linear + "bias"));
        if (!parts.Has(Norm + "weight"))
        {
            return (encoder, bias);
        }

        if (!parts.Has(Norm + "running_var"))
        {
            throw parts.Refused(
                "its encoder ends in a LayerNorm, which cannot be folded into its weights; "
                    + "only a linear encoder with or without batch normalisation is supported"
            );
        }

        var scale = parts.Read(Norm + "weight") / parts.Read(Norm + "running_var").Plus(Epsilon).sqrt();
        return (encoder * scale.unsqueeze(1), ((bias - parts.Read(Norm + "running_mean")) * scale).Plus(parts.Read(Norm + "bias")));
    }
}
