using System.Globalization;
using ClipSae.Sae.Encoding;
using ClipSae.Tensors;
using static TorchSharp.torch;

namespace ClipSae.Sae.Formats;

/// <summary>ClipSae's own file of an autoencoder: one safetensors file, rows as latents, variant and scale in its metadata.</summary>
public static class SaeFile
{
    private const string Format = "clipsae-sae/1";
    private static readonly string[] MetadataKeys = ["variant", "k", "input_scale"];

    /// <summary>Writes one safetensors file, scale and variant in its metadata; equal autoencoders give equal bytes.</summary>
    public static void Save(SparseAutoencoder sae, string path)
    {
        using var guard = no_grad();
        using var scope = NewDisposeScope();
        var tensors = new Dictionary<string, Tensor>
        {
            ["encoder"] = sae.EncoderRows.cpu(),
            ["encoder_bias"] = sae.EncoderBias.cpu(),
            ["decoder_bias"] = sae.DecoderBias.cpu(),
        };
        if (!sae.Variant.Tied)
        {
            tensors["decoder"] = sae.DecoderRows.cpu();
        }

        if (sae.Threshold is not null)
        {
            tensors["threshold"] = sae.Threshold.cpu();
        }

        SafetensorsWriter.Write(path, tensors, Metadata(sae));
    }

    /// <summary>Whether the metadata of a safetensors file says that it is one of these.</summary>
    public static bool IsOne(IReadOnlyDictionary<string, string> metadata) => metadata.GetValueOrDefault("format") == Format;

    /// <summary>Reads what <see cref="Save"/> wrote; files of other programs are read by <see cref="ForeignAutoencoder"/>.</summary>
    /// <param name="device">Where its tensors go; the CPU if not given.</param>
    /// <exception cref="UserErrorException">The file is not such an autoencoder; the message names file and key.</exception>
    public static SparseAutoencoder Load(string path, Device? device = null)
    {
        using var guard = no_grad();
        using var scope = NewDisposeScope();
        using var file = SafetensorsFile.Open(path);
        UserErrorException.ThrowIf(
            !file.Metadata.TryGetValue("format", out var format) || format != Format,
            $"{path}: not an autoencoder of ClipSae (metadata 'format' is not '{Format}'); use the file that sae-training wrote"
        );

        var variant = ReadVariant(path, file);
        var scale = Number(path, file, "input_scale");
        var encoder = file.Read("encoder");
        if (encoder.dim() != 2)
        {
            throw Wrong(path, "encoder", encoder, "[latents, width]");
        }

        var (latents, width) = (encoder.shape[0], encoder.shape[1]);
        var decoder = variant.Tied ? encoder : ReadShaped(path, file, "decoder", latents, width);
        var sae = new SparseAutoencoder(
            variant,
            encoder,
            decoder,
            ReadShaped(path, file, "encoder_bias", latents),
            ReadShaped(path, file, "decoder_bias", width),
            scale,
            variant.HasThreshold ? ReadShaped(path, file, "threshold", latents) : null
        );
        return sae.To(device ?? CPU);
    }

    private static Dictionary<string, string> Metadata(SparseAutoencoder sae)
    {
        var metadata = new Dictionary<string, string>
        {
            ["format"] = Format,
            ["variant"] = sae.Variant.Name,
            ["k"] = sae.Variant.K.ToString(CultureInfo.InvariantCulture),
            ["input_scale"] = sae.InputScale.ToString("R", CultureInfo.InvariantCulture),
        };
        if (sae.Variant is SaeVariant.Matryoshka matryoshka)
        {
            metadata["prefixes"] = string.Join(' ', matryoshka.Prefixes.Select(p => p.ToString("R", CultureInfo.InvariantCulture)));
        }

        return metadata;
    }

    private static SaeVariant ReadVariant(string path, SafetensorsFile file)
    {
        foreach (var key in MetadataKeys.Where(key => !file.Metadata.ContainsKey(key)))
        {
            throw new UserErrorException($"{path}: metadata '{key}' is missing; the file is damaged, train or download it again");
        }

        var variant = SaeVariant.Parse(file.Metadata["variant"], (int)Number(path, file, "k"))
            ?? throw new UserErrorException(
                $"{path}: variant '{file.Metadata["variant"]}' is unknown; this version knows {string.Join(", ", SaeVariant.Names)}"
            );
        return variant is SaeVariant.Matryoshka matryoshka && file.Metadata.TryGetValue("prefixes", out var prefixes)
            ? matryoshka with
            {
                Prefixes = [.. prefixes.Split(' ').Select(p => Parsed(path, "prefixes", p))],
            }
            : variant;
    }

    private static double Number(string path, SafetensorsFile file, string key) => Parsed(path, key, file.Metadata[key]);

    private static double Parsed(string path, string key, string text) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && double.IsFinite(value)
            ? value
            : throw new UserErrorException(
                $"{path}: metadata '{key}' is '{text}', not a number; the file is damaged, train or download it again"
            );

    private static Tensor ReadShaped(string path, SafetensorsFile file, string key, params long[] shape)
    {
        var tensor = file.Read(key);
        return tensor.shape.SequenceEqual(shape) ? tensor : throw Wrong(path, key, tensor, $"[{string.Join(", ", shape)}]");
    }

    private static UserErrorException Wrong(string path, string key, Tensor tensor, string expected) =>
        new($"{path}: key '{key}' is [{string.Join(", ", tensor.shape)}], not {expected}; the file is damaged, train or download it again");
}
