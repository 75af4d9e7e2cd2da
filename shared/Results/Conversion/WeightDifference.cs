namespace ClipSae.Results.Conversion;

/// <summary>The weight tensor that differs most between source and written file.</summary>
/// <param name="Key">Its key.</param>
/// <param name="MaxAbsolute">Largest difference of an element.</param>
/// <param name="MaxRelative">The same as a share of the tensor's largest element.</param>
public sealed record WeightDifference(string Key, double MaxAbsolute, double MaxRelative);
