namespace ClipSae.Results.Evaluation;

/// <summary>Names of the protocols by which sets are scored, as results hold them.</summary>
public static class Protocols
{
    public const string Clean = "clean";
    public const string Attacked = "attacked";
    public const string Words = "words";
    public const string Retrieval = "retrieval";
}
