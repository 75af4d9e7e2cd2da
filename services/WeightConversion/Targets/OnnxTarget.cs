using System.Globalization;
using ClipSae.Clip.Architecture;
using ClipSae.Clip.Preprocessing;
using ClipSae.Imaging.Resizing;
using ClipSae.Results.Conversion;
using ClipSae.Tensors;
using ClipSae.Tensors.Onnx;
using ClipSae.WeightConversion.Proofs;
using ClipSae.WeightConversion.Weights;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using TorchSharp;

namespace ClipSae.WeightConversion.Targets;

/// <summary>Both encoders as ONNX, any batch size, in float32; compared in ONNX Runtime.</summary>
public sealed record OnnxTarget()
    : ConversionTarget(
        "onnx",
        "ONNX Runtime in any language: "
            + "image_encoder.onnx and text_encoder.onnx, opset 17, outputs raw (…_features) and normalised (…_embeds)"
    )
{
    private const string Image = "image_encoder.onnx";
    private const string Text = "text_encoder.onnx";

    public override bool IsFloat32Alone => true;

    public override bool IsOf(ClipFamily family) => family.HasOpenAiKeys;

    public override IReadOnlyList<string> Loadable => ["onnx"];

    /// <summary>Two programs add up in different orders.</summary>
    public override double MinTolerance => 1e-4;

    public override int Tensors(PlainWeights weights) => ClipGraph.Image(weights).WeightCount + ClipGraph.Text(weights).WeightCount;

    public override void Write(ConversionMaterial material, string folder)
    {
        var target = Directory.CreateDirectory(Path.Combine(folder, Loadable[0])).FullName;
        var metadata = Metadata(material);
        OnnxFile.Write(Path.Combine(target, Image), "image_encoder", ClipGraph.Image(material.Weights), metadata, Written(material));
        OnnxFile.Write(Path.Combine(target, Text), "text_encoder", ClipGraph.Text(material.Weights), metadata, Written(material));
    }

    internal override (ProbeFeatures Features, WeightDifference? Worst) Load(string path, ConversionSource source, Probes probes)
    {
        var image = Run(
            Path.Combine(path, Image),
            "image_features",
            NamedOnnxValue.CreateFromTensor(
                "pixel_values",
                new DenseTensor<float>(probes.Images.data<float>().ToArray(), Sizes(probes.Images))
            )
        );
        var text = Run(
            Path.Combine(path, Text),
            "text_features",
            NamedOnnxValue.CreateFromTensor("input_ids", new DenseTensor<long>(probes.Tokens.data<long>().ToArray(), Sizes(probes.Tokens)))
        );
        return (new ProbeFeatures(image, text), null);
    }

    private static torch.Tensor Run(string path, string output, NamedOnnxValue input)
    {
        try
        {
            using var session = new InferenceSession(path);
            using var results = session.Run([input], [output]);
            var features = results[0].AsTensor<float>();
            return AlignedTensor.Of([.. features], [.. features.Dimensions.ToArray().Select(size => (long)size)]);
        }
        catch (OnnxRuntimeException failure)
        {
            throw new UserErrorException($"{path}: ONNX Runtime cannot run it: {failure.Message}", failure);
        }
    }

    private static int[] Sizes(torch.Tensor tensor) => [.. tensor.shape.Select(size => (int)size)];

    private static Action Written(ConversionMaterial material) =>
        () =>
        {
            material.Cancel.ThrowIfCancellationRequested();
            material.Written?.Invoke();
        };

    private static Dictionary<string, string> Metadata(ConversionMaterial material)
    {
        using var scope = torch.NewDisposeScope();
        var a = material.Architecture;
        var resolution = a.ImageResolution.ToString(CultureInfo.InvariantCulture);
        return new Dictionary<string, string>
        {
            ["logit_scale"] = material.Weights.Read("logit_scale").exp().item<float>().ToString(CultureInfo.InvariantCulture),
            ["image_size"] = resolution,
            ["image_mean"] = string.Join(
                ", ",
                PixelNormalization.OpenAi.Mean.Select(value => value.ToString(CultureInfo.InvariantCulture))
            ),
            ["image_std"] = string.Join(
                ", ",
                PixelNormalization.OpenAi.Deviation.Select(value => value.ToString(CultureInfo.InvariantCulture))
            ),
            ["preprocessing"] =
                $"RGB; {(a.Fit == ImageFit.Squash ? "both sides" : "short side")} to {resolution} pixels "
                + "with Pillow's antialiased bicubic; "
                + (a.Fit == ImageFit.Squash ? "" : "centre crop; ")
                + "divide by 255; subtract image_mean, divide by image_std; [batch, 3, height, width]",
            ["tokens"] =
                (
                    a.Family == ClipFamily.MetaClip2
                        ? "XLM-V's pieces, start 0 and end 2, padded by 1; the first 2 marks the end."
                        : "CLIP's byte-pair encoding, start and end of text, zero-padded; the largest id marks the end."
                ) + " Probabilities: softmax of logit_scale · image_embeds · text_embedsᵀ",
        };
    }
}
