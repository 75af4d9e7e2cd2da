using ClipSae.Sae.Encoding;
using ClipSae.Tensors;
using static TorchSharp.torch;

namespace ClipSae.Sae.Formats;

/// <summary>Tensors of another program's autoencoder, brought into the form that is supported here.</summary>
/// <param name="file">The open file.</param>
/// <param name="path">What to call it in errors.</param>
internal sealed class AutoencoderParts(ITensorFile file, string path)
{
    /// <summary>Rows whose length differs from 1 by less than this are what an optimizer's last step left of unit rows.</summary>
    private const double NearlyUnit = 0.02;

    private const double MinNorm = 1e-8;

    /// <summary>What to call the file in errors.</summary>
    public string Path => path;

    public bool Has(string key) => file.Entries.ContainsKey(key);

    /// <summary>A tensor of the file in float32, in the scope of the caller.</summary>
    /// <exception cref="UserErrorException">It is missing, of a type that is not read, or has values that are NaN or infinite.</exception>
    public Tensor Read(string key)
    {
        var nonFinite = new NonFiniteValues();
        var tensor = Has(key) ? file.Read(key, nonFinite) : throw Refused($"key '{key}' is missing");
        return nonFinite.Counts.Count == 0
            ? tensor.to(float32)
            : throw Refused($"key '{key}' has values that are NaN or infinite; the training that wrote it diverged");
    }

    /// <summary>A whole number of the file, such as k.</summary>
    /// <exception cref="UserErrorException">It is missing, or none that an autoencoder can have.</exception>
    public int Count(string key)
    {
        using var scope = NewDisposeScope();
        var tensor = Has(key) ? file.Read(key) : throw Refused($"key '{key}' is missing");
        var value = tensor.NumberOfElements == 1 ? tensor.reshape(1).to(float64)[0].item<double>() : double.NaN;
        return value is >= 1 and <= int.MaxValue
            ? (int)value
            : throw Refused(FormattableString.Invariant($"key '{key}' is {value}; an autoencoder has at least one active latent"));
    }

    /// <summary>
    /// A threshold for every latent, where the file holds one for all. Below 0, as before training it is, none is excluded that ReLU
    /// leaves.
    /// </summary>
    public Tensor Threshold(string key, long latents)
    {
        var threshold = Read(key).relu();
        return threshold.NumberOfElements == 1 ? threshold.reshape(1).expand(latents).contiguous() : threshold;
    }

    /// <summary>The autoencoder.</summary>
    /// <param name="variant">How latents are selected.</param>
    /// <param name="encoder">[latents, width].</param>
    /// <param name="encoderBias">[latents]; null for none.</param>
    /// <param name="decoder">[latents, width].</param>
    /// <param name="decoderBias">[width]; null for none.</param>
    /// <param name="threshold">[latents], where the variant has one.</param>
    /// <param name="isCentred">Whether the decoder's bias is subtracted from the input.</param>
    /// <param name="isRescaled">Whether latents are selected by what they add to the reconstruction: their activation times the length of
    /// their decoder row.</param>
    /// <param name="inputScale">The factor inputs were multiplied with in training, as a record.</param>
    /// <exception cref="UserErrorException">Shapes do not fit together.</exception>
    public SparseAutoencoder Build(
        SaeVariant variant,
        Tensor encoder,
        Tensor? encoderBias,
        Tensor decoder,
        Tensor? decoderBias,
        Tensor? threshold,
        bool isCentred,
        bool isRescaled,
        double inputScale = 1
    )
    {
        if (encoder.dim() != 2 || encoder.NumberOfElements == 0)
        {
            throw Refused($"the encoder is [{string.Join(", ", encoder.shape)}], not a matrix of latents and width");
        }

        var (latents, width) = (encoder.shape[0], encoder.shape[1]);
        encoderBias ??= zeros(latents);
        decoderBias ??= zeros(width);
        Require("the decoder", decoder, latents, width);
        Require("the encoder's bias", encoderBias, latents);
        Require("the decoder's bias", decoderBias, width);
        if (threshold is not null)
        {
            Require("the threshold", threshold, latents);
        }

        if (variant.K > latents)
        {
            throw Refused($"k is {variant.K}, but it has {latents} latents");
        }

        if (!isCentred)
        {
            // Here the decoder's bias is always subtracted from the input; what that takes away is given back through the encoder's.
            encoderBias = encoderBias.Plus(encoder.matmul(decoderBias));
        }

        // A row of zeros adds nothing, whatever its length is taken for.
        var norms = decoder.Squared().sum(1).sqrt().AtLeast(MinNorm);
        var isUnit = norms.Minus(1).abs().max().item<float>() < NearlyUnit;
        if (variant.HasThreshold || isRescaled || isUnit)
        {
            // Unit rows, and activations in units of the input. A selection of the k largest would be another where lengths differ.
            decoder = decoder / norms.unsqueeze(1);
            encoder = encoder * norms.unsqueeze(1);
            encoderBias = encoderBias * norms;
            threshold = threshold is null ? null : threshold * norms;
        }

        return new SparseAutoencoder(
            variant,
            encoder.contiguous(),
            decoder.contiguous(),
            encoderBias.contiguous(),
            decoderBias.contiguous(),
            inputScale,
            threshold?.contiguous()
        );
    }

    /// <summary>
    /// A gated autoencoder (arXiv 2404.16014): since gate and magnitude share their directions, a latent fires where its magnitude is above
    /// a threshold of its own.
    /// </summary>
    /// <param name="encoder">[latents, width].</param>
    /// <param name="logScale">r, [latents].</param>
    /// <param name="gateBias">[latents].</param>
    /// <param name="magnitudeBias">[latents].</param>
    /// <param name="decoder">[latents, width].</param>
    /// <param name="decoderBias">[width].</param>
    /// <param name="isCentred">Whether the decoder's bias is subtracted from the input.</param>
    public SparseAutoencoder BuildGated(
        Tensor encoder,
        Tensor logScale,
        Tensor gateBias,
        Tensor magnitudeBias,
        Tensor decoder,
        Tensor decoderBias,
        bool isCentred
    )
    {
        if (!isCentred)
        {
            // The same shift reaches gate and magnitude.
            var shift = encoder.matmul(decoderBias);
            (gateBias, magnitudeBias) = (gateBias.Plus(shift), magnitudeBias.Plus(logScale.exp() * shift));
        }

        var scale = logScale.exp();
        var threshold = (magnitudeBias - (scale * gateBias)).relu();
        return Build(
            new SaeVariant.JumpRelu((int)encoder.shape[0]),
            encoder * scale.unsqueeze(1),
            magnitudeBias,
            decoder,
            decoderBias,
            threshold,
            isCentred: true,
            isRescaled: true
        );
    }

    /// <summary>The refusal of this file.</summary>
    public UserErrorException Refused(string reason) => new($"{path}: {reason}");

    private void Require(string what, Tensor tensor, params long[] shape)
    {
        if (!tensor.shape.SequenceEqual(shape))
        {
            throw Refused($"{what} is [{string.Join(", ", tensor.shape)}], but the encoder makes it [{string.Join(", ", shape)}]");
        }
    }
}
