namespace ClipSae.WeightConversion.Transplanting;

/// <summary>How far hidden states of the new text encoder are from those of the generator's own, over tokens of one kind.</summary>
/// <param name="State">Which state: <c>penultimate</c>, <c>last</c> (after the final LayerNorm) or <c>pooled</c>.</param>
/// <param name="Tokens">Which tokens.</param>
/// <param name="Count">Tokens compared.</param>
/// <param name="MeanCosine">Mean cosine of new and old.</param>
/// <param name="MinCosine">The smallest of them.</param>
/// <param name="MeanNormRatio">Mean length of the new over the old.</param>
public sealed record HiddenStateChange(
    string State,
    TokenKind Tokens,
    int Count,
    double MeanCosine,
    double MinCosine,
    double MeanNormRatio
);
