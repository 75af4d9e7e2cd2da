namespace ClipSae.ZeroShotEvaluation.Sets;

/// <summary>An image of an evaluation set.</summary>
/// <param name="Id">Its path in the data set.</param>
/// <param name="Label">What it shows; for a word shown alone, the word. Empty where only captions are asked for.</param>
/// <param name="Word">The word printed on it, or, on a set without print, the word that its attacked twin bears.</param>
/// <param name="Captions">Texts that describe it.</param>
/// <param name="Font">Face of the printed word, where it is recorded.</param>
public sealed record EvaluationImage(string Id, string Label, string? Word, IReadOnlyList<string> Captions, string? Font = null);
