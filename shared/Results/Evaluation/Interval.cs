namespace ClipSae.Results.Evaluation;

/// <summary>A metric with its 95 % interval.</summary>
/// <param name="Value">The metric itself.</param>
/// <param name="Low">Lower end.</param>
/// <param name="High">Upper end.</param>
public sealed record Interval(double Value, double Low, double High);
