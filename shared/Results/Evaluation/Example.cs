namespace ClipSae.Results.Evaluation;

/// <summary>An image with what the models make of it.</summary>
/// <param name="Set">Its set.</param>
/// <param name="Id">Its path in the data set.</param>
/// <param name="Kind">Why it is shown.</param>
/// <param name="Label">What it shows.</param>
/// <param name="Word">What is printed on it.</param>
/// <param name="Image">What the models saw, PNG.</param>
/// <param name="Answers">Base, tuned and whatever other models are shown, all with the same texts: the likeliest ones, the right and the
/// printed one among them.</param>
public sealed record Example(
    string Set,
    string Id,
    ExampleKind Kind,
    string Label,
    string? Word,
    byte[] Image,
    IReadOnlyList<ExampleAnswer> Answers
);
