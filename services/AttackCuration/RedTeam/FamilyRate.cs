namespace ClipSae.AttackCuration.RedTeam;

/// <summary>How often something fooled the model.</summary>
/// <param name="Name">Of the family of print, or of the kind of word.</param>
/// <param name="Tried">Printed words.</param>
/// <param name="Fooled">Those that the model named in place of what the picture shows.</param>
public sealed record FamilyRate(string Name, int Tried, int Fooled)
{
    /// <summary>Share that fooled it; 0 where nothing was tried.</summary>
    public double Share => Tried == 0 ? 0 : (double)Fooled / Tried;

    /// <summary>The share that is expected, of a uniform prior (Laplace's rule of succession).</summary>
    public double Expected => (Fooled + 1.0) / (Tried + 2.0);
}
