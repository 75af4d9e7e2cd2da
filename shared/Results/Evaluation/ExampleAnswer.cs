namespace ClipSae.Results.Evaluation;

/// <summary>What one model makes of an image.</summary>
/// <param name="Model">Its name.</param>
/// <param name="Candidates">The texts shown with the image, each with its probability.</param>
public sealed record ExampleAnswer(string Model, IReadOnlyList<Candidate> Candidates);
