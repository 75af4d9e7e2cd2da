namespace ClipSae.Clip.Generators;

/// <summary>How far hidden states of a new text encoder are from those of the one before, over tokens of one kind.</summary>
/// <param name="State">Which state: <c>penultimate</c>, <c>last</c> (after the final LayerNorm) or <c>pooled</c>.</param>
/// <param name="Tokens">Which tokens.</param>
/// <param name="Count">Tokens compared.</param>
/// <param name="MeanCosine">Mean cosine of new and old.</param>
/// <param name="MinCosine">The smallest of them.</param>
/// <param name="MeanNormRatio">Mean length of the new over the old.</param>
public sealed record HiddenStateChange(string State, TokenKind Tokens, int Count, double MeanCosine, double MinCosine, double MeanNormRatio)
{
    /// <summary>Output of the last block but one.</summary>
    public const string Penultimate = "penultimate";

    /// <summary>Output of the last block after the final LayerNorm.</summary>
    public const string Last = "last";

    /// <summary>The state of the whole text.</summary>
    public const string Pooled = "pooled";

    /// <summary>What kinds of tokens are called.</summary>
    public static string NameOf(TokenKind kind) =>
        kind switch
        {
            TokenKind.Start => "start of text",
            TokenKind.Prompt => "prompt",
            TokenKind.Padding => "end and padding",
            _ => "whole text",
        };
}
