using ClipSae.Sae.Encoding;
using ClipSae.Tensors;
using static TorchSharp.torch;

namespace ClipSae.Sae.Formats;

/// <summary>
/// Autoencoders of <c>dictionary_learning</c>, and of <c>sae-for-vlm</c>, which trains with it: <c>ae.pt</c> (a state dict) and
/// <c>config.json</c>, whose <c>trainer.dict_class</c> names the class. Top-K and BatchTopK have the same keys, so that nothing else shows
/// them apart.
/// </summary>
internal static class DictionaryLearningFormat
{
    public const string WeightsFile = "ae.pt";
    public const string ConfigFile = "config.json";

    private const string Threshold = "threshold";
    private const string LinearEncoder = "encoder.weight";
    private const string LinearDecoder = "decoder.weight";

    /// <summary>Whether a file's keys are those of one of its classes.</summary>
    public static bool IsOne(ITensorFile file) =>
        file.Entries.ContainsKey(LinearDecoder) || (file.Entries.ContainsKey("W_enc") && file.Entries.ContainsKey("W_dec"));

    /// <param name="path">The state dict.</param>
    /// <exception cref="Contracts.UserErrorException">Keys are of none of its classes, or the description is needed and
    /// missing.</exception>
    public static SparseAutoencoder Load(ITensorFile file, string path)
    {
        var parts = new AutoencoderParts(file, path);
        return parts.Has("W_enc") ? WithMatrices(parts)
            : parts.Has("r_mag")
                ? parts.BuildGated(
                    parts.Read(LinearEncoder),
                    parts.Read("r_mag"),
                    parts.Read("gate_bias"),
                    parts.Read("mag_bias"),
                    parts.Read(LinearDecoder).t(),
                    parts.Read("decoder_bias"),
                    isCentred: true
                )
            : parts.Has("k") ? Selecting(parts)
            : Relu(parts);
    }

    // Matryoshka is used as BatchTopK is; its groups matter in training alone.
    private static SparseAutoencoder WithMatrices(AutoencoderParts parts)
    {
        var encoder = parts.Read("W_enc").t();
        var isMatryoshka = parts.Has("group_sizes");
        return parts.Build(
            isMatryoshka ? new SaeVariant.BatchTopK(parts.Count("k")) : new SaeVariant.JumpRelu((int)encoder.shape[0]),
            encoder,
            parts.Read("b_enc"),
            parts.Read("W_dec"),
            parts.Read("b_dec"),
            parts.Threshold(Threshold, encoder.shape[0]),
            isCentred: isMatryoshka,
            isRescaled: true
        );
    }

    private static SparseAutoencoder Selecting(AutoencoderParts parts)
    {
        var encoder = parts.Read(LinearEncoder);
        var k = parts.Count("k");
        var description = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(parts.Path))!, ConfigFile);
        if (!File.Exists(description))
        {
            throw parts.Refused($"may be an AutoEncoderTopK or a BatchTopKSAE, which {ConfigFile} says; put it next to the file");
        }

        var isBatch = AutoencoderConfig.Read(description).Part("trainer").Text("dict_class") switch
        {
            "AutoEncoderTopK" => false,
            "BatchTopKSAE" => true,
            var other => throw parts.Refused($"has the keys of an AutoEncoderTopK or a BatchTopKSAE, but {ConfigFile} says '{other}'"),
        };
        return parts.Build(
            isBatch ? new SaeVariant.BatchTopK(k) : new SaeVariant.TopK(k),
            encoder,
            parts.Read("encoder.bias"),
            parts.Read(LinearDecoder).t(),
            parts.Read("b_dec"),
            isBatch ? parts.Threshold(Threshold, encoder.shape[0]) : null,
            isCentred: true,
            isRescaled: false
        );
    }

    // AutoEncoder centres its input, AutoEncoderNew does not.
    private static SparseAutoencoder Relu(AutoencoderParts parts)
    {
        var encoder = parts.Read(LinearEncoder);
        var isCentred = parts.Has("bias");
        return parts.Build(
            new SaeVariant.JumpRelu((int)encoder.shape[0]),
            encoder,
            parts.Read("encoder.bias"),
            parts.Read(LinearDecoder).t(),
            parts.Read(isCentred ? "bias" : "decoder.bias"),
            zeros(encoder.shape[0]),
            isCentred,
            isRescaled: true
        );
    }
}
