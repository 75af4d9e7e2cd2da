namespace ClipSae.Results.Tuning;

/// <summary>How far directions and radii moved from the base, as shares of their size.</summary>
public sealed record WeightDrift(long Step, double Theta, double Radius);
