namespace ClipSae.Results.Conversion;

/// <summary>How far the features of two models are apart on the same probes.</summary>
/// <param name="MaxAbsolute">Largest difference of a single feature.</param>
/// <param name="MaxRelative">The same as a share of the largest feature of the source.</param>
/// <param name="MinCosine">Smallest cosine between the two feature rows of a probe.</param>
/// <param name="Probe">Probe of the largest difference.</param>
/// <param name="Feature">Feature of the largest difference.</param>
public sealed record FeatureDifference(double MaxAbsolute, double MaxRelative, double MinCosine, int Probe, int Feature);
