namespace ClipSae.Results.Curation;

/// <summary>A picture whose caption repeats its print.</summary>
/// <param name="Id">Its path in the data set.</param>
/// <param name="Word">The caption's word.</param>
/// <param name="Caption">Its first caption.</param>
/// <param name="Print">How much is printed.</param>
/// <param name="Margin">Logit of the word less the largest of the words that the caption does not name.</param>
/// <param name="Remaining">The same with the print hidden.</param>
/// <param name="Probability">That it is one.</param>
public sealed record CaptionFinding(
    string Id,
    string Word,
    string Caption,
    double Print,
    double Margin,
    double Remaining,
    double Probability
);
