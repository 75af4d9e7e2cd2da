using ClipSae.Clip.Architecture;
using ClipSae.Clip.Checkpoints;
using ClipSae.Tensors;
using ClipSae.WeightConversion.Weights;
using TorchSharp;

namespace ClipSae.WeightConversion;

/// <summary>
/// Long-CLIP's knowledge-preserved stretching (arXiv 2403.15378): the first 20 rows of the text positions, which are well trained, stay;
/// the others are stretched four times by linear interpolation, the last four extrapolated. 77 tokens become 248.
/// </summary>
public static class ContextStretching
{
    /// <summary>Rows that stay.</summary>
    public const int KeptRows = LongPositions.KeptRows;

    /// <summary>Rows that each of the others becomes.</summary>
    public const int Factor = 4;

    /// <param name="positions">[context, width].</param>
    /// <returns>[20 + 4·(context − 20), width].</returns>
    public static torch.Tensor Stretch(torch.Tensor positions)
    {
        using var scope = torch.NewDisposeScope();
        var tail = positions.narrow(0, KeptRows, positions.shape[0] - KeptRows);
        var steps = tail.narrow(0, 1, tail.shape[0] - 1) - tail.narrow(0, 0, tail.shape[0] - 1);
        // Behind the last row it continues as it came.
        steps = torch.cat([steps, steps.narrow(0, steps.shape[0] - 1, 1)], 0);
        var quarters = TensorArithmetic.Range(Factor, positions.dtype).view(1, Factor, 1).Over(Factor);
        var stretched = tail.unsqueeze(1).Plus(quarters * steps.unsqueeze(1)).reshape(-1, positions.shape[1]);
        return torch.cat([positions.narrow(0, 0, KeptRows), stretched], 0).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// Writes the stretched model as one safetensors file, float32, under OpenAI's keys and with the stretched positions in both of
    /// Long-CLIP's embeddings; all other weights stay.
    /// </summary>
    /// <returns>Tokens of the new context.</returns>
    /// <exception cref="UserErrorException">The context is too short to be stretched, or longer than CLIP's already, or the file cannot be
    /// written.</exception>
    public static int Write(ConversionSource source, string path)
    {
        using var checkpoint = source.Open();
        Conversion.RequireNoNullToken(checkpoint, source.Name);
        var weights = new PlainWeights(checkpoint);
        var context = weights.Architecture.ContextLength;
        UserErrorException.ThrowIf(
            context is < KeptRows + 2 or > 77,
            $"{source.Name}: its context is {context} tokens; only {KeptRows + 2} to 77 can be stretched"
        );

        var longer = KeptRows + (Factor * (context - KeptRows));
        SafetensorsWriter.WriteStreaming(
            path,
            weights.Shapes.SelectMany(weight =>
                weight.Key == ClipKeys.Positions
                    ? new[] { weight.Key, ClipKeys.StretchedPositions }.Select(key => new TensorLayout(
                        key,
                        torch.ScalarType.Float32,
                        [longer, weight.Value[1]]
                    ))
                    : [new TensorLayout(weight.Key, torch.ScalarType.Float32, weight.Value)]
            ),
            key => Make(weights, key),
            ModelTraits.Added(new Dictionary<string, string> { ["format"] = "pt", ["keys"] = "openai" }, weights.Architecture)
        );
        return longer;
    }

    private static torch.Tensor Make(PlainWeights weights, string key)
    {
        using var scope = torch.NewDisposeScope();
        return (
            key is ClipKeys.Positions or ClipKeys.StretchedPositions ? Stretch(weights.Read(ClipKeys.Positions)) : weights.Read(key)
        ).DetachFromDisposeScope();
    }
}
