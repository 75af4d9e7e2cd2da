namespace ClipSae.Cli.Diagnosis;

/// <summary>What one check of the machine found.</summary>
/// <param name="Check">What was looked at.</param>
/// <param name="Grade">How it is.</param>
/// <param name="Detail">What was found.</param>
/// <param name="Remedy">How to fix it, where something is wrong.</param>
internal sealed record Finding(string Check, FindingGrade Grade, string Detail, string? Remedy = null);
