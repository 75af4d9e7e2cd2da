namespace ClipSae.Results.Curation;

/// <summary>A family of print in curation.</summary>
/// <param name="Family">Its name.</param>
/// <param name="HeldOut">Whether training never sees it.</param>
/// <param name="Tried">Printed words.</param>
/// <param name="Fooled">Those that fooled the model.</param>
/// <param name="Attacks">Attacks chosen.</param>
public sealed record FamilyAttacks(string Family, bool HeldOut, int Tried, int Fooled, int Attacks)
{
    /// <summary>Share that fooled the model; 0 where nothing was tried.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public double Rate => Tried > 0 ? (double)Fooled / Tried : 0;
}
