namespace ClipSae.Results.Evaluation;

/// <summary>How far a state of a model's text tower is from the base's, over tokens of one kind of prompts for image generators.</summary>
/// <param name="State">Which state: penultimate (of the last block but one), last (after the final LayerNorm) or pooled.</param>
/// <param name="Tokens">Which tokens: start of text, prompt, end and padding, or whole text.</param>
/// <param name="Count">Tokens compared.</param>
/// <param name="MeanCosine">Mean cosine of the model's and the base's.</param>
/// <param name="MinCosine">The smallest of them.</param>
/// <param name="MeanNormRatio">Mean length of the model's over the base's.</param>
public sealed record TextStateChange(string State, string Tokens, int Count, double MeanCosine, double MinCosine, double MeanNormRatio);
