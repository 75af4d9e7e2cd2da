namespace ClipSae.Results.Tuning;

/// <summary>Whether image embeddings still differ between pictures.</summary>
/// <param name="Step">Of the validation.</param>
/// <param name="MeanCosine">Mean cosine of two different pictures' embeddings.</param>
/// <param name="Rank">Effective number of their directions.</param>
/// <param name="LogitScale">The factor on cosines.</param>
public sealed record ModelHealth(long Step, double MeanCosine, double Rank, double LogitScale);
