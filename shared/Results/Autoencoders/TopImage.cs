namespace ClipSae.Results;

/// <summary>An image that excites a feature.</summary>
/// <param name="Id">Its path in the data set.</param>
/// <param name="Activation">How strongly.</param>
public sealed record TopImage(string Id, double Activation);
