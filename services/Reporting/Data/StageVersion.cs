namespace ClipSae.Reporting.Data;

/// <summary>What computed a stage of the run.</summary>
/// <param name="Stage">The stage.</param>
/// <param name="Algorithm">Version of its algorithm, which the run's plan fixes; null in runs of before there were such.</param>
/// <param name="Computed">In a line each, the programs that computed its results, those taken from earlier runs too.</param>
public sealed record StageVersion(string Stage, int? Algorithm, IReadOnlyList<string> Computed);
