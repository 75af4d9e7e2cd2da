using System.Globalization;
using ClipSae.Clip.Architecture;
using ClipSae.Imaging.Resizing;
using ClipSae.WeightConversion.Weights;

namespace ClipSae.WeightConversion;

/// <summary>The page that is next to converted weights: what they are, what loads them, and how far they are from their source.</summary>
internal static class ModelCard
{
    public static string Write(ConversionSource source, ClipArchitecture architecture, ConversionOptions options, Conversion conversion)
    {
        var a = architecture;
        return string.Create(
                CultureInfo.InvariantCulture,
                $"""
                ---
                tags: [clip, zero-shot-image-classification]
                pipeline_tag: zero-shot-image-classification
                ---

                # {source.Name}

                {(
                    a.Family == ClipFamily.OpenAi ? "A CLIP" : $"A {a.Family}"
                )} with a vision transformer: {a.VisionLayers} blocks of width {a.VisionWidth}, patches of {a.PatchSize} in images of {a.ImageResolution} pixels; text of
                {a.ContextLength} tokens through {a.TextLayers} blocks of width {a.TextWidth}; both end in {a.EmbedDim} dimensions. The activation is {Activation(
                    a
                )}.
                Precision: {options.Dtype.ToString().ToLowerInvariant()}; LayerNorm and embeddings are float32 in every case.{Geometric(
                    conversion
                )}{Measured(source)}{Note(conversion.NullTokenNote)}{Note(conversion.ContextNote)}

                | format | path | for |
                |---|---|---|
                {string.Join(
                    '\n',
                    options.Targets.Select(target =>
                        $"| {target.Name} | {string.Join(", ", target.Loadable.Select(path => $"`{path}`"))} | {target.Loaders} |"
                    )
                )}

                Each was loaded again from disk and run beside its source on {options.ProbeImages} random images and {options.ProbeTexts} random texts. Largest difference of a
                feature, as a share of the largest feature (allowed: {options.EffectiveTolerance:0.0e+0}):

                | path | image | text |
                |---|--:|--:|
                {string.Join(
                    '\n',
                    conversion.Proofs.Select(proof =>
                        string.Create(
                            CultureInfo.InvariantCulture,
                            $"| `{proof.Key}` | {proof.Value.Image.MaxRelative:0.0e+0} | {proof.Value.Text.MaxRelative:0.0e+0} |"
                        )
                    )
                )}

                Images are prepared {Preparation(a)}, mean {Numbers(a.Family.Normalization.Mean)}, deviation {Numbers(
                    a.Family.Normalization.Deviation
                )}.
                Digests of all files and of the source, the parameters of the conversion, and of weights that ClipSae tuned what they were tuned from and how, are in `{Conversion.ProvenanceName}`.

                """
            )
            .ReplaceLineEndings("\n");
    }

    private static string Activation(ClipArchitecture a) =>
        a.Activation == MlpActivation.QuickGelu
            ? "QuickGELU"
            : $"{a.Activation}; {a.VisionHeads} heads in the vision tower, {a.TextHeads} in the text tower";

    private static string Note(string? note) => note is null ? "" : "\n\n" + note;

    private static string Preparation(ClipArchitecture a) =>
        a.Fit == ImageFit.CentreCrop
            ? string.Create(
                CultureInfo.InvariantCulture,
                $"as OpenAI does: RGB, short side to {a.ImageResolution} with Pillow's bicubic, centre crop"
            )
            : string.Create(
                CultureInfo.InvariantCulture,
                $"as {a.Family}'s are: RGB, both sides to {a.ImageResolution} with Pillow's {a.Filter.ToString().ToLowerInvariant()}"
            );

    private static string Measured(ConversionSource source) =>
        source.Measured.Count == 0
            ? ""
            : string.Create(
                CultureInfo.InvariantCulture,
                $"""


                Accuracy on pictures that fine-tuning kept for validation, all weights in their training precision:

                | | clean | under attack | words without a picture |
                |---|--:|--:|--:|
                {string.Join(
                    '\n',
                    source.Measured.Select(model =>
                        $"| {model.Name} | {Share(model.Clean)} | {Share(model.Attacked)} | {Share(model.Reading)} |"
                    )
                )}
                """
            );

    private static string Share(double? share) =>
        share is { } value ? (100 * value).ToString("0.0", CultureInfo.InvariantCulture) + " %" : "–";

    private static string Geometric(Conversion conversion) =>
        conversion.GeometricLayers == 0
            ? ""
            : string.Create(
                CultureInfo.InvariantCulture,
                $"\nThe source keeps {conversion.GeometricLayers} linear layers in Geometric Parametrization; "
                    + $"all formats but `gmp` hold their plain weights."
            );

    private static string Numbers(IEnumerable<float> values) =>
        string.Join(", ", values.Select(value => value.ToString(CultureInfo.InvariantCulture)));
}
