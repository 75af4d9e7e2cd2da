namespace ClipSae.ZeroShotEvaluation;

/// <summary>An image with what base and tuned model make of it.</summary>
/// <param name="Set">Its set.</param>
/// <param name="Id">Its path in the data set.</param>
/// <param name="Kind">Why it is shown.</param>
/// <param name="Label">What it shows.</param>
/// <param name="Word">What is printed on it.</param>
/// <param name="Image">What the models saw, PNG.</param>
/// <param name="Base">The base's likeliest texts, the right one and the printed one among them.</param>
/// <param name="Tuned">The same texts and the tuned model's likeliest ones.</param>
public sealed record Example(
    string Set, string Id, ExampleKind Kind, string Label, string? Word, byte[] Image, IReadOnlyList<Candidate> Base, IReadOnlyList<Candidate> Tuned);
