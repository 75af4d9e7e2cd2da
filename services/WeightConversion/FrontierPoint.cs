namespace ClipSae.WeightConversion;

/// <summary>A model between base and tuned, and how it does on the sets that choose.</summary>
/// <param name="Alpha">Share of the tuned model, 0 to 1.</param>
/// <param name="Clean">Clean accuracy, a fraction.</param>
/// <param name="Attacked">Attacked accuracy, a fraction.</param>
public sealed record FrontierPoint(double Alpha, double Clean, double Attacked);
