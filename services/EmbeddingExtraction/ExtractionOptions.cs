using System.ComponentModel.DataAnnotations;
using ClipSae.Clip.Architecture;
using ClipSae.Pipeline.Stages;
using ClipSae.Tensors;

namespace ClipSae.EmbeddingExtraction;

/// <summary>What is read from the towers, and how it is stored.</summary>
public sealed record ExtractionOptions
{
    internal const int ProcessorBatch = 32;
    internal const int MaxBatch = 256;

    /// <summary>
    /// Hook points, those of a tower all captured in one forward pass; at those of the text tower the data set's captions are read.
    /// Default: the first block's MLP neurons, where ablating text-salient SAE features had the largest causal effect on typographic
    /// attacks (prototype, .22 → .44), and the final embedding for comparison.
    /// </summary>
    public IReadOnlyList<string> HookPoints { get; init; } = ["mlp@0", "image-embedding"];

    /// <summary>
    /// Tokens kept of each image, or of each caption up to its end, at hook points that have a token axis: <c>"all"</c> or a number drawn
    /// by seed. Default 32: every token of a small model, and an eighth of ViT-L/14's 257, whose neurons would otherwise take 4 MB an
    /// image.
    /// </summary>
    public TokenSampling TokensPerImage { get; init; } = new TokenSampling.Sampled(32);

    /// <summary>
    /// Images, or captions, in one forward pass; 0, the default, takes 32 on a processor, whose matrix units are busy from 8 on, and up to
    /// 256 on a GPU (tests/Benchmarks).
    /// </summary>
    [Range(0, double.PositiveInfinity)]
    public int BatchSize { get; init; }

    /// <summary>Precision of the vision tower; the text tower always computes in float32. Default float32.</summary>
    [AllowedValues(Precision.Float32, Precision.Bfloat16)]
    public Precision Compute { get; init; } = Precision.Float32;

    /// <summary>Precision of the stored activations. Default float32.</summary>
    [AllowedValues(Precision.Float32, Precision.Float16, Precision.Bfloat16)]
    public Precision Dtype { get; init; } = Precision.Float32;

    /// <summary>Device the model runs on: cpu or cuda:N. Default cpu.</summary>
    public string Device { get; init; } = "cpu";

    /// <summary>
    /// Threads that decode and preprocess ahead of the model; 0, the default, takes one with a processor, about 200 photographs/s and a
    /// hundred times what ViT-L/14 takes on two cores, and every core with a GPU.
    /// </summary>
    [Range(0, double.PositiveInfinity)]
    public int DecodeThreads { get; init; }

    /// <summary>Batches that are decoded ahead. Default 2.</summary>
    [Range(1, double.PositiveInfinity)]
    public int BatchesAhead { get; init; } = 2;

    /// <summary>
    /// Share of images that may be unreadable before the unit fails. Default 0.05; they are counted and named in any case.
    /// </summary>
    [Range(0, 1)]
    public double MaxUnreadableShare { get; init; } = 0.05;

    /// <summary>Seed of the token draw. Default 0.</summary>
    public long Seed { get; init; }

    /// <exception cref="UserErrorException">A value is impossible; the message names the key.</exception>
    public void Validate()
    {
        ParameterRules.Require(this, "extraction");
        UserErrorException.ThrowIf(HookPoints.Count == 0, $"extraction.hookPoints is empty; name at least one of {HookPoint.Forms}");

        var points = HookPoints.Select(HookPoint.Parse).ToList();
        UserErrorException.ThrowIf(
            points.Distinct().Count() < points.Count,
            $"extraction.hookPoints names a point twice: {string.Join(", ", HookPoints)}"
        );
        UserErrorException.ThrowIf(
            TokensPerImage is TokenSampling.Sampled { Count: < 1 },
            "extraction.tokensPerImage must be \"all\" or a number from 1"
        );
    }

    /// <summary>The hook points of one tower of a model.</summary>
    /// <exception cref="UserErrorException">The model has none such.</exception>
    internal IReadOnlyList<HookPoint> PointsOf(ClipArchitecture architecture, bool isText) =>
        [.. HookPoints.Select(text => HookPoint.Parse(text).CheckedFor(architecture)).Where(point => point.IsText == isText)];
}
